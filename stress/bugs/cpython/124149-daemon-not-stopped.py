# python/cpython#124149: daemon threads are not ended while the interpreter finalises
import subprocess, sys, time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
program = """
import threading
def busy():
    while True:
        [i for i in range(100)]
for _ in range(3):
    threading.Thread(target=busy, daemon=True).start()
"""
while time.monotonic() < end:
    try:
        done = subprocess.run([sys.executable, "-c", program], timeout=20, stderr=subprocess.PIPE)
        code = done.returncode
    except subprocess.TimeoutExpired:
        code = -999
    if code < 0:
        print("hit: the process did not end in 20 s" if code == -999 else "hit: the process died of signal %d" % -code)
        sys.exit(1)

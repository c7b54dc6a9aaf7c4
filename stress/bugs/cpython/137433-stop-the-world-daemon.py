# python/cpython#137433: the pause of the whole process at exit against a pause of one
# interpreter by a daemon thread
import subprocess, sys, time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
program = """
import gc, threading, time
def pause():
    while True:
        gc.collect()
for _ in range(3):
    threading.Thread(target=pause, daemon=True).start()
time.sleep(0.01)
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

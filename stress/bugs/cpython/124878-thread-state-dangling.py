# python/cpython#124878: a daemon thread wakes up at exit and touches its freed thread state
import subprocess, sys, time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
program = """
import threading, time
lock = threading.Lock()
def wake():
    while True:
        with lock:
            time.sleep(0.0001)
for _ in range(4):
    threading.Thread(target=wake, daemon=True).start()
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

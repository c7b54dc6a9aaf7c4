# devdanzin/cpython-tsan-findings#TSAN-0034: finalisation reads the head of the thread list in
# an assert before it stops the world
import subprocess, sys, time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
program = """
import _thread, threading
def fail():
    raise RuntimeError
threading._shutdown = fail
def churn():
    while True:
        _thread.start_new_thread(int, ())
for _ in range(3):
    _thread.start_new_thread(churn, ())
import time
time.sleep(0.02)
"""
while time.monotonic() < end:
    try:
        code = subprocess.run([sys.executable, "-c", program], timeout=20, stderr=subprocess.DEVNULL).returncode
    except subprocess.TimeoutExpired:
        code = 0
    if code < 0:
        print("hit: the process died of signal", -code)
        sys.exit(1)

# python/cpython#143232: the process exits while calls of _interpreters are under way
import subprocess, sys, time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
program = """
import _interpreters, threading
def use():
    while True:
        it = _interpreters.create()
        _interpreters.run_string(it, "1")
        _interpreters.destroy(it)
for _ in range(3):
    threading.Thread(target=use, daemon=True).start()
import time
time.sleep(0.05)
"""
while time.monotonic() < end:
    try:
        code = subprocess.run([sys.executable, "-c", program], timeout=20, stderr=subprocess.DEVNULL).returncode
    except subprocess.TimeoutExpired:
        code = "no end"
    if code == "no end" or code < 0:
        print("hit: the process ended with", code)
        sys.exit(1)

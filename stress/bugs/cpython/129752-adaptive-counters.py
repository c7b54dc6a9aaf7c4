# python/cpython#129752: with -X tlbc=0 all threads share one bytecode copy and race for its
# counters
import subprocess, sys, threading, time

seconds = float(sys.argv[1] if len(sys.argv) > 1 else 10)
if "again" not in sys.argv:
    if sys.version_info < (3, 14):
        print("skip: this VM has no thread-local bytecode to switch off")
        sys.exit(77)
    sys.exit(subprocess.call([sys.executable, "-X", "tlbc=0", __file__, str(seconds), "again"]))
end = time.monotonic() + seconds


def hot():
    while time.monotonic() < end:
        total = 0
        for i in range(1000):
            total += i


threads = [threading.Thread(target=hot) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()

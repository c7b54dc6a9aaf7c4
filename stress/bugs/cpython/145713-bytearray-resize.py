# python/cpython#145713: two bytearray.resize() calls with no lock
import sys, threading, time

if not hasattr(bytearray, "resize"):
    print("skip: bytearray.resize is newer than this VM")
    sys.exit(77)
end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
shared = bytearray(10)


def resize():
    while time.monotonic() < end:
        shared.resize(10000)
        shared.resize(1)


threads = [threading.Thread(target=resize) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()

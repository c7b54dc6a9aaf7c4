# python/cpython#144777: IncrementalNewlineDecoder.reset() against its newlines attribute
import io
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
decoder = io.IncrementalNewlineDecoder(None, True)


def write():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                decoder.decode("a\r\nb\n")
                decoder.reset()
        except Exception:
            pass


def read():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                decoder.newlines
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (write, read)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()

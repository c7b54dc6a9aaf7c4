# pypy/pypy#3728: read of a pipe against close() of its buffered reader
import os
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)


def round_():
    while time.monotonic() < end:
        try:
            left, right = os.pipe()
            stream = open(left, "rb")


            def read():
                try:
                    while stream.read(1):
                        pass
                except (ValueError, OSError):
                    pass


            thread = threading.Thread(target=read)
            thread.start()
            os.write(right, b"x" * 20)
            os.close(right)
            stream.close()
            thread.join()
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (round_,)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()

# python/cpython#153296: next(StringIO) runs without the lock that seek, truncate and write hold
import io
import os
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
text = "".join("a%d\n" % (i % 10) for i in range(100))
stream = io.StringIO(text)


def hit(what):
    print("hit:", what, flush=True)
    os._exit(1)


def walk():
    while time.monotonic() < end:
        try:
            for _ in range(5):
                for line in stream:
                    if line.strip("a0123456789\n\0"):
                        hit("foreign letters in a line: %a" % line)
        except SystemError as e:
            hit(repr(e))
        except Exception:
            pass


def write():
    while time.monotonic() < end:
        try:
            for _ in range(5):
                stream.truncate(0)
                stream.seek(0)
                stream.write(text)
                stream.seek(0)
        except SystemError as e:
            hit(repr(e))
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (walk, walk, write)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()

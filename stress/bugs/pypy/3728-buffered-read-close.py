# pypy/pypy#3728: read of a pipe against close() of its buffered reader
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import os
import threading


def round_():
    left, right = os.pipe()
    stream = open(left, "rb")
    take = raises(SystemError("planted")) if FAULT == "raise" else stream.read

    def read():
        try:
            while take(1):
                pass
        except (ValueError, OSError):
            pass  # it was closed
        except Exception as e:
            hit("read() beside close() raised %r" % e)

    thread = threading.Thread(target=read)
    thread.start()
    os.write(right, b"x" * 20)
    os.close(right)
    stream.close()
    thread.join()


again(round_)

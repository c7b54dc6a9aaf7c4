# python/cpython#153296: next(StringIO) runs without the lock that seek, truncate and write hold
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import io


text = "".join("a%d\n" % (i % 10) for i in range(100))
stream = io.StringIO(text)
if FAULT == "dirt":
    stream = io.StringIO(text + "#")
    text = text.replace("a", "b")
if FAULT == "raise":
    stream = raises(SystemError("planted"))


def walk():
    try:
        for _ in range(5):
            for line in stream:
                if line.strip("a0123456789\n\0"):
                    hit("foreign letters in a line: %a" % line)
    except SystemError as e:
        hit(repr(e))


def write():
    try:
        for _ in range(5):
            stream.truncate(0)
            stream.seek(0)
            stream.write(text)
            stream.seek(0)
    except SystemError as e:
        hit(repr(e))


again(walk, walk, write)

# pypy/pypy#5117: clear() and refill change a list's storage strategy between two steps of
# repr()
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
shared = [1, 2, 3]


class Refuses:
    __repr__ = raises(SystemError("planted"))


shown = Refuses() if FAULT == "raise" else shared


def change():
    try:
        for _ in range(50):
            shared.clear()
            shared.extend("ab")
            shared.clear()
            shared.extend([1, 2])
    except SystemError as e:
        hit(repr(e))
    except IndexError:
        pass


def read():
    try:
        for _ in range(50):
            repr(shown)
            shared[0:1]
    except SystemError as e:
        hit(repr(e))
    except IndexError:
        pass


again(change, read, read)

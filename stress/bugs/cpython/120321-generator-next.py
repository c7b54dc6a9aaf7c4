# python/cpython#120321: next() of one generator in several threads: the frame runs twice
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---


def numbers():
    yield from range(20)


slot = [numbers()]


def advance():
    for _ in range(100):
        try:
            next(slot[0])
        except StopIteration:
            slot[0] = numbers()
        except ValueError:
            pass


again(advance, advance, advance)

# threadbare/hunt#micropython-generator-next: next() of one generator in two threads: the frame
# runs twice
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---


def count(n):
    for i in range(n):
        if FAULT == "raise" and i:
            raise TypeError("planted")
        yield [i]


holder = [count(2)]


def drain():
    for _ in range(100):
        it = holder[0] = count(2)
        try:
            for _ in it:
                pass
        except ValueError:
            pass  # the other thread runs it


def step():
    for _ in range(100):
        try:
            next(holder[0], None)
        except ValueError:
            pass
        except Exception as e:
            hit("next() of a generator that raises nothing raised %s" % repr(e))


again(drain, step)

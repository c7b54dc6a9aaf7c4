# devdanzin/rustpython-findings#RUSTPY-0023: next, send and close of one generator: the frame is
# entered before it is claimed
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---


def numbers():
    yield from range(5)


slot = [numbers()]


def advance():
    for _ in range(50):
        if next(slot[0], None) is None:
            slot[0] = numbers()


def close():
    for _ in range(50):
        slot[0].close()
        slot[0] = numbers()


again(advance, advance, close)

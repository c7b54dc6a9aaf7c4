# threadbare/hunt#rustpython-memoryview-tobytes-pop: memoryview(b)[1:].tobytes() uses the old
# length while pop() shrinks b
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
shared = bytearray(97)


def view():
    for _ in range(100):
        try:
            memoryview(shared)[1:].tobytes()
        except Exception:
            pass


def pop():
    for _ in range(100):
        try:
            shared.pop()
            if len(shared) < 9:
                shared.extend(b"x" * 90)
        except Exception:
            pass


again(view, pop)

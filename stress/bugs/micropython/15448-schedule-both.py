# micropython/micropython#15448: micropython.schedule() from two threads: each call once, never
# two at a time
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
try:
    import micropython
except ImportError:
    skip("no module micropython, which has the calls to schedule")

inside = [0]
STEP = 2 if FAULT == "twice" else 1


def call(n):
    inside[0] += STEP
    if inside[0] != 1:
        hit("two scheduled calls at a time")
    for _ in range(20):
        pass
    inside[0] -= STEP


def schedule():
    for _ in range(100):
        try:
            micropython.schedule(call, 1)
        except RuntimeError:
            pass


again(schedule, schedule)

# python/cpython#130202: after a finaliser resurrects an object the debug build still touches it
# while another thread frees it
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
saved = []


class Phoenix:
    def __del__(self):
        saved.append(self)


def drop():
    for _ in range(20):
        Phoenix()


def clear():
    for _ in range(20):
        saved.clear()


again(drop, drop, clear)

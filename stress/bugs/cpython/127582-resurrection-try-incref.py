# python/cpython#127582: a finaliser resurrects an object while another thread tries to take a
# reference
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import weakref


class Phoenix:
    def __del__(self):
        saved[0] = self


saved = [Phoenix()]
slot = [weakref.ref(saved[0])]


def drop():
    for _ in range(50):
        it = Phoenix()
        slot[0] = weakref.ref(it)
        del it
        saved[0] = None


def upgrade():
    for _ in range(50):
        slot[0]()


again(drop, upgrade, upgrade)

# python/cpython#138101: an object is resurrected by one thread before the deallocating thread
# enters its finaliser
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import weakref


class Node:
    def __del__(self):
        try:
            self.back()
        except AttributeError:
            pass


slot = [None, None]


def churn():
    for _ in range(50):
        a, b = Node(), Node()
        a.back, b.back = weakref.ref(b), weakref.ref(a)
        slot[0], slot[1] = a, b


def upgrade():
    for _ in range(50):
        it = slot[0].back()
        slot[0] = it


again(churn, churn, upgrade)

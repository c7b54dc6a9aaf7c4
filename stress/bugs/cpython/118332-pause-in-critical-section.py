# python/cpython#118332: the thread that pauses the world gives up its own lock and must take it
# back from a paused thread
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import gc


class Key:
    def __hash__(self):
        return 1

    def __eq__(self, other):
        gc.collect()
        return False


shared = {Key()}


def add():
    shared.add(Key())
    shared.discard(Key())
    if len(shared) > 3:
        shared.clear()


again(add, add, add)

# python/cpython#124470: f.__dict__ = {} frees the old dict while f.attr reads it through a
# borrowed pointer
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---


class Holder:
    pass


holder = Holder()


def replace():
    for _ in range(50):
        holder.__dict__ = {"name": [1]}
        holder.name = [2]


def read():
    for _ in range(50):
        holder.name


again(replace, replace, read, read)

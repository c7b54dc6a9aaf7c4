# python/cpython#144774: exc.__setstate__(d) walks a dict that another thread changes
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---


class Error(Exception):
    pass


state = {"a": [1], "b": [2]}


def restore():
    for _ in range(50):
        Error().__setstate__(state)


def change():
    for _ in range(50):
        state["k"] = [3]
        state.pop("k", None)
        state["a"] = [4]


again(restore, restore, change, change)

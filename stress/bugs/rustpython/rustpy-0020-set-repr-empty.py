# devdanzin/rustpython-findings#RUSTPY-0020: repr(set) checks for empty, then takes the first
# item; clear() comes between
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
shared = set("abcde")


def show():
    for _ in range(50):
        repr(shared)


def change():
    for _ in range(50):
        shared.clear()
        shared.update("abcde")


again(show, show, change, change)

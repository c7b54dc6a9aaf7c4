# devdanzin/cpython-tsan-findings#TSAN-0025: readline.set_auto_history() writes one C global
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import readline


def set_it():
    for _ in range(50):
        readline.set_auto_history(True)


again(set_it, set_it)

# threadbare/hunt#micropython-dict-pop-clear: dict.clear() sets the size of the table to zero
# between the check and the division in pop()
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
holder = [{}]


def look():
    for _ in range(100):
        holder[0].pop(7, None)


def clear():
    for _ in range(100):
        table = holder[0] = {1: 1}
        table.clear()


again(look, clear)

# threadbare/hunt#micropython-dict-popitem-update: dict.popitem() takes the last slot of a table
# that update() is replacing
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
holder = [{}]


def pop():
    for _ in range(100):
        try:
            for _ in range(30):
                holder[0].popitem()
        except KeyError:
            pass


def update():
    for _ in range(100):
        holder[0] = dict.fromkeys(range(20))
        holder[0].update(dict.fromkeys(range(60)))


again(pop, update)

# RustPython/RustPython#7231: d[k] = v finds a slot under a read lock, then inserts under the
# write lock
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
table = {}


def insert():
    for _ in range(5):
        for i in range(60):
            table[i] = i


def clear():
    for _ in range(5):
        table.clear()


again(insert, insert, clear)
keys = list(table)
if FAULT == "uncounted":
    keys.append(0)
if len(table) != len(keys):
    hit("a dict of %d items has %d keys" % (len(table), len(keys)))

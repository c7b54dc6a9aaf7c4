# python/cpython#129701: interning one new string in several threads rewrites its reference
# count with a plain store
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import time


intern_it = str.strip if FAULT == "two" else sys.intern


def turn():
    stem = str(time.monotonic_ns())
    if any(a is not b for a, b in in_step(many(500), lambda i: intern_it("k" + stem + str(i)))):
        hit("equal interned strings are two objects")


rounds(turn)

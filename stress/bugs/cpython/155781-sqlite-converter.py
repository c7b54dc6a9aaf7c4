# python/cpython#155781: a row converter is looked up as a borrowed pointer while it is replaced
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import sqlite3


base = sqlite3.connect(":memory:", detect_types=sqlite3.PARSE_COLNAMES, check_same_thread=False)


def register():
    for _ in range(20):
        sqlite3.register_converter("t", lambda data: data)


def query():
    for _ in range(20):
        base.execute("select 1 as \"x [t]\"").fetchall()


again(register, register, query)

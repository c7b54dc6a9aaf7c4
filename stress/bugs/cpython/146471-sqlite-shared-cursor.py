# python/cpython#146471: one cursor used by two threads
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import sqlite3


base = sqlite3.connect(":memory:", check_same_thread=False)
base.executescript("create table t (x); insert into t values (1), (2), (3)")
cursor = base.cursor()


def query():
    for _ in range(20):
        cursor.execute("select x from t").fetchall()


again(query, query, query)

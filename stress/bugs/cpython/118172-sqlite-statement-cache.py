# python/cpython#118172: cached statements are shared by cursors of several threads
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import sqlite3


base = sqlite3.connect(":memory:", check_same_thread=False)
base.executescript("create table t (x); insert into t values (1), (2), (3)")
if FAULT == "row":
    base.execute("insert into t values (4)")
wanted = [(1,), (2,), (3,)]


def query():
    for _ in range(20):
        rows = base.cursor().execute("select x from t").fetchall()
        if rows != wanted:
            hit("rows are %r" % rows)


again(query, query, query, query)

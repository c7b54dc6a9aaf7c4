# threadbare/hunt#cpython-sqlite-blob-close: blob[3] = x writes through a handle that close() of
# the same blob frees
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import sqlite3

need(sqlite3.Connection, "blobopen")
con = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
con.execute("create table b(d blob)")
con.execute("insert into b values(zeroblob(64))")


class Refuses:
    close = int
    __setitem__ = raises(sqlite3.InterfaceError("planted"))


def fresh():
    return Refuses() if FAULT == "raise" else con.blobopen("b", "d", 1)


shared = [fresh()] * 50


def first():
    shared[:] = [fresh() for _ in shared]
    for it in list(shared):
        try:
            it.close()
        except Exception:
            pass


def second():
    for it in list(shared):
        try:
            it[3] = 101
        except (sqlite3.InterfaceError, SystemError) as e:
            hit(repr(e))  # SQLite was given a handle that is none; of a closed blob Python itself says so
        except Exception:
            pass


again(first, second)

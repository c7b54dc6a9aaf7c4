# devdanzin/cpython-tsan-findings#TSAN-0026: iterating o.__dict__ while a 31st attribute turns
# the split table into a combined one
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---


def turn():
    class Record:
        pass


    for i in range(30):
        setattr(Record(), "k%d" % i, i)
    records = [Record() for _ in range(200)]
    for record in records:
        for i in range(15):
            setattr(record, "k%d" % i, [i])

    def walk():
        for record in records:
            try:
                list(record.__dict__.items())
            except RuntimeError:
                pass

    def store():
        for record in records:
            record.one_more = 1

    together(walk, store)


rounds(turn)

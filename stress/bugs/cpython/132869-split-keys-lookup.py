# python/cpython#132869: attribute lookup in split keys while other threads add names to the
# same object
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---


def turn():
    class Record:
        pass


    records = [Record() for _ in range(200)]

    def touch():
        for record in records:
            for i in range(10):
                name = str(i)
                getattr(record, name, None)
                setattr(record, name, 1)

    together(touch, touch, touch, touch)


rounds(turn)

# python/cpython#132245: d.update(o.__dict__) merges shared keys while another instance of the
# class adds one
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---


def turn():
    class Record:
        pass


    first = Record()
    first.a = 1

    def merge():
        for _ in range(500):
            {}.update(first.__dict__)

    def grow():
        for i in range(500):
            setattr(Record(), "k%d" % i, 1)

    together(merge, grow)


rounds(turn)

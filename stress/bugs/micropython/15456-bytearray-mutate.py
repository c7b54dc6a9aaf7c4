# micropython/micropython#15456: extension of one bytearray by two threads
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
ROUNDS = many(200)
PART = b"y" if FAULT == "foreign" else b"x"


def turn():
    arrays = [bytearray(b"x") for _ in range(ROUNDS)]

    def extend():
        for array in arrays:
            for _ in range(20):
                array.extend(PART * 50)

    def read():
        for array in arrays:
            for _ in range(20):
                bytes(array)

    together(extend, extend, read)
    for array in arrays:
        if bytes(array) != b"x" * 2001:
            hit("2001 times x, extended by two threads, is %d bytes, %d of them x" % (len(array), bytes(array).count(b"x")))


rounds(turn)

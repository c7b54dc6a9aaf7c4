# python/cpython#144777: IncrementalNewlineDecoder.reset() against its newlines attribute
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import io


decoder = io.IncrementalNewlineDecoder(None, True)


def write():
    for _ in range(50):
        decoder.decode("a\r\nb\n")
        decoder.reset()


def read():
    for _ in range(50):
        decoder.newlines


again(write, read)

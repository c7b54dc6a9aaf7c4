# RustPython/RustPython#8551: del of a closure variable drops the old value under the cell's
# lock; its __del__ reads the cell
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---


def delete():
    class Reader:
        def __del__(self):
            try:
                it
            except NameError:
                pass

    it = Reader()
    del it


for _ in range(100):
    delete()

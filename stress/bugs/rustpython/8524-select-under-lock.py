# RustPython/RustPython#8524: a lock is held across a call back: fileno() clears the list that
# select() walks
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import os
import select

ends = os.pipe()


class File:
    def fileno(self):
        files.clear()
        return ends[1]


files = [File(), File()]
try:
    select.select([], files, [], 0)
except (ValueError, RuntimeError):
    pass

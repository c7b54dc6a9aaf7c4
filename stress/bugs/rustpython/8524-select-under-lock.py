# RustPython/RustPython#8524: a lock is held across a call back: fileno() clears the list that
# select() walks
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import select


class File:
    pass


# A bound method of the list, so that no Python code stands between the wait and select() on the stack.
files = [File(), File()]
File.fileno = files.clear
try:
    select.select([], files, [], 0)
except (TypeError, ValueError, RuntimeError):
    pass

# RustPython/RustPython#6509: slot calls run Python code under an object's lock: a getter that
# sets its property's doc
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---


class Box:
    @property
    def x(self):
        Box.__dict__["x"].__doc__ = "text"
        return 1


Box().x

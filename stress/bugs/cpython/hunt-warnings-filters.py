# threadbare/hunt#cpython-warnings-filters: a warning walks the list of filters with borrowed
# items while simplefilter() replaces them
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import warnings


warnings.simplefilter("ignore")


def warn():
    for _ in range(100):
        try:
            warnings.warn_explicit("w", UserWarning, "f", 5, "m", {})
        except Exception:
            pass


def filters():
    for _ in range(100):
        try:
            warnings.simplefilter("ignore")
        except Exception:
            pass


again(warn, warn, filters)

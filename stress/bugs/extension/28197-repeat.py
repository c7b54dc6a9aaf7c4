# numpy/numpy#28197: np.repeat() edits the dimensions of its shared argument in place
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
try:
    import numpy
except ImportError as e:
    skip(e)

values = numpy.arange(999 if FAULT == 'short' else 1000)


def repeat():
    for _ in range(50):
        if len(values.repeat(2)) != 2000:
            hit('a wrong length')


again(repeat, repeat, repeat)

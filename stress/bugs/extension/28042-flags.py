# numpy/numpy#28042: a.flags.writeable rewrites a word that other flags share
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
try:
    import numpy
except ImportError as e:
    skip(e)

values = numpy.zeros(4)
OFF = FAULT == 'set'


def writeable():
    for _ in range(100):
        values.flags.writeable = OFF
        if values.flags.writeable:
            hit('a flag that was cleared is set')
        values.flags.writeable = True


def flat():
    for _ in range(100):
        values.flat
        numpy.asarray(values.flat)


again(writeable, flat, flat)

# numpy/numpy#32059: get_state() beside seed() returns the state of two moments
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
try:
    import numpy
except ImportError as e:
    skip(e)

state = numpy.random.RandomState(1)
legal = []
SECOND = 3 if FAULT == 'another' else 2
for seed in (1, 2):
    state.seed(seed)
    legal.append(state.get_state()[1].tobytes())


def seed():
    try:
        state.seed(1)
        state.seed(SECOND)
    except ValueError:
        pass


def read():
    try:
        if state.get_state()[1].tobytes() not in legal:
            hit('a state of neither seed')
    except ValueError:
        pass


again(seed, read, read)

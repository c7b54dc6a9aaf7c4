# numpy/numpy#32063: SeedSequence.spawn() reads the counter, builds, and stores it: two children
# are the same
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
try:
    from numpy.random import SeedSequence
except ImportError as e:
    skip(e)


def turn():
    sequences = [SeedSequence(1)] * 2
    if FAULT == "twice":
        sequences = [SeedSequence(1), SeedSequence(1)]
    seen = [[], []]
    turns = iter(zip(sequences, seen))

    def spawn():
        sequence, mine = next(turns)
        for _ in range(2000):
            mine.append(sequence.spawn(1)[0].spawn_key)

    together(spawn, spawn)
    if set(seen[0]) & set(seen[1]):
        hit("two children have one key")


rounds(turn)

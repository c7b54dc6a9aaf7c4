# python/cpython#129732: a new thread reserves its slot in the reclamation table while the table
# grows
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---


def trial():  # runs in a process of its own: the table is as small as it ever is
    def work():
        [[] for _ in range(10)]

    together(*[work] * 30)


forked(trial)

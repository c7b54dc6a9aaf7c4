# python/cpython#153777: gc.get_referrers() while others allocate cycles and collect
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import gc


target = [1]
holders = [[target] for _ in range(100)]


def referrers():
    for _ in range(2):
        gc.get_referrers(target)


def churn():
    for _ in range(2):
        cycle = [target]
        cycle.append(cycle)


def collect():
    for _ in range(2):
        gc.collect()


again(referrers, churn, collect)

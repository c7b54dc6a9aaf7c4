# python/cpython#146452: pickle.dumps(dict) iterates with borrowed pairs while the dict changes
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import pickle


shared = {i: [i] for i in range(20)}


def dump():
    for _ in range(20):
        pickle.dumps(shared)


def change():
    for _ in range(20):
        for k in range(10):
            shared[k] = list(range(k))
            shared.pop(k, None)
            shared[k] = [k]


again(dump, dump, change, change)

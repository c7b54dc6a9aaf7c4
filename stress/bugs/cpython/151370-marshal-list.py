# python/cpython#151370: marshal.dumps() reads a list's array without its lock
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import marshal


shared = list(range(64))


def dump():
    for _ in range(50):
        marshal.dumps(shared)


def change():
    for _ in range(50):
        shared.append(1)
        shared.pop()
        shared.extend(range(50))
        del shared[64:]


again(dump, change)

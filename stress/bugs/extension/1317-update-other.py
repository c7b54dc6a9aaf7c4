# aio-libs/multidict#1317: a.update(other) locks its target only
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
try:
    from multidict import MultiDict
except ImportError as e:
    skip(e)

one, two = MultiDict(a=[1], b=[2]), MultiDict(c=[3])


def update():
    for _ in range(50):
        MultiDict().update(one)


def change():
    for i in range(50):
        one['k%d' % i] = [i]
    one.clear()


again(update, update, change, change)

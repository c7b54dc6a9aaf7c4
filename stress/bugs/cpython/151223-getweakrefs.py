# python/cpython#151223: weakref.getweakrefs() reads the head of the list while references come
# and go
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import weakref


class Target:
    pass


slot = [Target()]


def churn():
    for _ in range(50):
        target = Target()
        refs = [weakref.ref(target, print) for _ in range(3)]
        slot[0] = target
        del refs


def look():
    for _ in range(50):
        weakref.getweakrefs(slot[0])
        weakref.getweakrefcount(slot[0])


again(churn, churn, look, look)

# python/cpython#157107: json.dumps() takes borrowed items while the list changes
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import json


shared = [[i] for i in range(20)]


def dump():
    for _ in range(20):
        json.dumps(shared)


def change():
    for _ in range(20):
        for i in range(10):
            shared[i] = [i]
        shared.pop()
        shared.append([0])


again(dump, dump, change, change)

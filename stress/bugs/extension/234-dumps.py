# python-rapidjson/python-rapidjson#234: dumps() walks dicts and lists without a lock
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
try:
    import rapidjson
except ImportError as e:
    skip(e)

shared = {str(i): [i] for i in range(20)}


def dump():
    for _ in range(20):
        rapidjson.dumps(shared)


def change():
    for i in range(20):
        shared[str(i)] = [i]
        shared.pop(str(i))
        shared[str(i)] = [i]


again(dump, dump, change)

# threadbare/hunt#cpython-re-scanner: one scanner searched by two threads: the check that it is
# not in use and the claim are two steps
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import re


pattern = re.compile("(a)|([b-h]+)")
slot = [pattern.scanner("aXbcadefgY")]


def search():
    for _ in range(100):
        it = slot[0] = pattern.scanner("aXbcadefgY" * 20)
        try:
            while it.search():
                pass
        except ValueError:
            pass


def follow():
    try:
        for _ in range(1000):
            slot[0].search()
    except ValueError:
        pass


again(search, follow)

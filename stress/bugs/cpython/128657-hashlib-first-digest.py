# python/cpython#128657: the first hashlib.sha256() fills a shared cache
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import hashlib


def trial():  # runs in a process of its own: what is raced is a first use

    def use():
        hashlib.new("sha256", b"x").digest()
        hashlib.sha512(b"x").digest()

    together(use, use, use, use)


forked(trial)

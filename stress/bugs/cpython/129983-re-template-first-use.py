# python/cpython#129983: the first re.sub() with a template imports and caches the compiler
# function
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import re


pattern = re.compile("(a)")


def trial():  # runs in a process of its own: what is raced is a first use

    def use():
        pattern.sub(r"\1", "a")

    together(use, use, use, use)


forked(trial)

# python/cpython#153056: two first uses of string.Template compile the class pattern at once
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import string


Template = raises(ValueError("planted")) if FAULT == "raise" else string.Template


def trial():  # runs in a process of its own: what is raced is a first use

    def use():
        try:
            Template("$x").substitute(x=1)
        except ValueError as e:
            hit(repr(e))

    together(use, use, use, use, use, use, use, use)


forked(trial)

# python/cpython#128013: the UTF-8 copy of a shared str is made on first use and stored without
# synchronisation
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import codecs


def turn():
    words = ["\u00e9%d" % i for i in range(300)]

    def use():
        for word in words:
            try:
                float(word)
            except ValueError:
                pass
            try:
                codecs.lookup(word)
            except LookupError:
                pass

    together(use, use)


rounds(turn)

# python/cpython#149142: a flag of a decimal context is set by reading, changing and writing a
# plain word
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import decimal

context = decimal.Context(prec=3)
flags = context.flags
one, three = decimal.Decimal(1), decimal.Decimal(2 if FAULT == "exact" else 3)


def divide():
    for _ in range(100):
        flags[decimal.Inexact] = False
        context.divide(one, three)
        if not flags[decimal.Inexact]:
            hit("the flag of an inexact division is lost")


def toggle():
    for _ in range(100):
        flags[decimal.Overflow] = True
        flags[decimal.Overflow] = False


again(divide, toggle)

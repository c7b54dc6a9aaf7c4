# python/cpython#127020: co_code, co_varnames and co_freevars fill a cache on first access
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
SOURCE = "def f(a, %s):\n c = %%d\n return lambda: c" % ("x" if FAULT == "foreign" else "b")


def turn():
    codes = [compile(SOURCE % i, "x", "exec").co_consts[0] for i in range(300)]

    def look():
        for code in codes:
            code.co_code
            names = code.co_varnames, code.co_cellvars, code.co_freevars
            if names != (("a", "b"), ("c",), ()):
                hit("the names of a function are %r" % (names,))

    together(look, look)


rounds(turn)

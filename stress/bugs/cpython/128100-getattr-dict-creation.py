# python/cpython#128100: getattr() looks at the plain __dict__ slot while another thread makes
# the dict
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import functools


def turn():
    partials = [functools.partial(len) for _ in range(500)]

    def look():
        for partial in partials:
            getattr(partial, "foo", None)

    def store():
        for partial in partials:
            partial.foo = 42

    together(look, store)


rounds(turn)

# python/cpython#129817: type flags change after creation, by ABCMeta.register()
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import collections.abc


if sys.version_info < (3, 10):
    skip("this VM has no match statement")
scope = {}
exec("def matches(it):\n    match it:\n        case [*_]:\n            pass", scope)
matches = scope["matches"]


def turn():
    classes = [type("C", (), {"__len__": lambda self: 0}) for _ in range(30)]

    def register():
        for cls in classes:
            collections.abc.Sequence.register(cls)

    def match_it():
        for cls in classes:
            matches(cls())

    together(register, match_it)


rounds(turn)

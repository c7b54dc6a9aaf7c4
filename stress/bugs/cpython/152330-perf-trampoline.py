# python/cpython#152330: a trampoline is compiled for one code object by several threads; it is
# switched off while in use
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
need(sys, "activate_stack_trampoline")


def toggle():
    for _ in range(2):
        sys.activate_stack_trampoline("perf")
        sys.deactivate_stack_trampoline()


def call():
    for _ in range(2):
        scope = {}
        exec("def f():\n    return 1", scope)
        for _ in range(5):
            scope["f"]()


again(toggle, call, call)

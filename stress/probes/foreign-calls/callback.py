# /// probe
# title = "a library's thread calls back: it comes into the interpreter that has registered the callback"
# properties = ["P1"]
# mutants = ["gs-default-main"]
# ends = ["crash"]
# faults = ["main"]
# ///
# --- kit.py, which the program puts here: a kept probe stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
try:
    import _interpreters, ctypes

    ctypes.CDLL(None).pthread_create
except (ImportError, AttributeError, OSError, TypeError):
    _interpreters = None

# In the interpreter that registers it: a thread that is none of Python's calls.
CODE = """
import _interpreters, ctypes, os
here, seen = _interpreters.get_current()[0], []

@ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)
def callback(_):
    seen.append(_interpreters.get_current()[0])

thread, library = ctypes.c_ulong(), ctypes.CDLL(None)
library.pthread_create.argtypes = [ctypes.c_void_p] * 4
library.pthread_join.argtypes = [ctypes.c_ulong, ctypes.c_void_p]
if library.pthread_create(ctypes.byref(thread), None, ctypes.cast(callback, ctypes.c_void_p), None):
    raise OSError("no thread")
library.pthread_join(thread, None)
os.write(%d, b"%%d %%d" %% (here, seen[0]))
"""


def called():
    """Where a callback was registered, and where it came."""
    import os

    if FAULT == "main":
        return 1, 0
    read, write = os.pipe()
    sub = _interpreters.create()
    wrong = _interpreters.exec(sub, CODE % write)
    os.close(write)
    with os.fdopen(read) as pipe:
        text = pipe.read()
    _interpreters.destroy(sub)
    if wrong is not None:
        raise RuntimeError("the interpreter got %s" % wrong)
    return tuple(map(int, text.split()))


if _interpreters is None and not FAULT:
    skip("no module _interpreters, or no threads of the system by ctypes")
calls = 0
while not calls or going() and calls < 1000:
    here, came = called()
    calls += 1
    if here != came:
        problem("P1: a callback of interpreter %d came into %d" % (here, came))
finish(calls, "callbacks of threads that are none of Python's")

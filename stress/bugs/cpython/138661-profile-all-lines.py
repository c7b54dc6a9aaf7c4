# python/cpython#138661: a traceback's line lookup reads instrumentation data while
# setprofile_all_threads() makes it
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import threading

need(threading, "setprofile_all_threads")
SOURCE = "def fail():\n" + ("\n" if FAULT == "line" else "") + "    raise ValueError"


def profile(frame, event, arg):
    pass


def turn():
    functions, tracebacks = [], []
    for _ in range(200):
        scope = {}
        exec(SOURCE, scope)
        functions.append(scope["fail"])
        try:
            scope["fail"]()
        except ValueError as e:
            tracebacks.append(e.__traceback__.tb_next)

    def call():
        for fail in functions:  # the first call under the profile function makes the data
            try:
                fail()
            except ValueError:
                pass

    def look():
        for traceback in tracebacks:
            for _ in range(3):
                line = traceback.tb_lineno
                if line != 2:
                    hit("a traceback's line is %r" % line)

    threading.setprofile_all_threads(profile)
    together(call, look)
    threading.setprofile_all_threads(None)


rounds(turn)

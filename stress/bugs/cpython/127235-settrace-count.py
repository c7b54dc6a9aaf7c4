# python/cpython#127235: several threads set and clear trace functions and the global counters
# go wrong
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import threading

need(threading, "settrace_all_threads")


def tracer(frame, event, arg):
    return tracer


def target():
    return 1


def trace():
    for _ in range(5):
        sys.settrace(tracer)
        target()
        sys.settrace(None)


def all_threads():
    for _ in range(5):
        threading.settrace_all_threads(tracer)
        threading.settrace_all_threads(None)


again(trace, trace, all_threads)

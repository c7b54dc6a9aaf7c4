# python/cpython#118415: opcode tracing is switched on in one thread while another runs the same
# code
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---


def tracer(frame, event, arg):
    frame.f_trace_opcodes = True
    return tracer


def target(n):
    return [i for i in range(n)]


def trace():
    for _ in range(5):
        sys.settrace(tracer)
        target(5)
        sys.settrace(None)


def call():
    for _ in range(5):
        target(5)


again(trace, trace, call)

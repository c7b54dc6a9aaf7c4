# devdanzin/cpython-tsan-findings#TSAN-0029: a frame's f_trace is assigned from another thread
# while the trampoline stores into it
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import threading


def tracer(frame, event, arg):
    return lambda *args: tracer


def work():
    sys.settrace(tracer)
    while going():
        for _ in range(100):
            pass


thread = threading.Thread(target=work)
thread.start()


def assign():
    for _ in range(50):
        frame = sys._current_frames().get(thread.ident)
        frame.f_trace = lambda *args: None
        frame.f_trace_opcodes = False


again(assign, assign)

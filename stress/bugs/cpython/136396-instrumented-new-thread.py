# python/cpython#136396: a new thread gets a clean bytecode copy although its code says it is
# instrumented
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
need(sys, "monitoring")
watch, seen = sys.monitoring, []
watch.use_tool_id(3, "tool")
watch.register_callback(3, watch.events.PY_START, lambda code, _: seen.append(code.co_name))
EVENT = 0 if FAULT == "silent" else watch.events.PY_START


def target():
    pass


def call():
    watch.set_events(3, EVENT)
    target()
    watch.set_events(3, 0)


def turn():
    call()
    seen.clear()
    run(call)
    if "target" not in seen:
        hit("the call in a new thread gave no event")


rounds(turn)

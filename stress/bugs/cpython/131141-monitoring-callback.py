# python/cpython#131141: sys.monitoring.register_callback() replaces the callable while an event
# is delivered
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
need(sys, "monitoring")
watch = sys.monitoring
watch.use_tool_id(3, "tool")
watch.set_events(3, watch.events.CALL)


def replace():
    for _ in range(20):
        watch.register_callback(3, watch.events.CALL, lambda *args: None)


def call():
    for _ in range(20):
        len("")


again(replace, call, call)

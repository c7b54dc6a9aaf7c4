# python/cpython#154348: sys.monitoring.use_tool_id() checks and sets the name in two steps
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
need(sys, "monitoring")
use_tool_id = sys.monitoring.use_tool_id
if FAULT == "two":
    use_tool_id = lambda number, name: None


def turn():
    winners = []

    def claim():
        try:
            use_tool_id(3, "tool")
            winners.append(1)
        except ValueError:
            pass

    together(claim, claim, claim, claim)
    sys.monitoring.free_tool_id(3)
    if len(winners) != 1:
        hit("%d threads own one tool" % len(winners))


rounds(turn)

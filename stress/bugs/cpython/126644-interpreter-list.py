# python/cpython#126644: create, run, destroy and list of interpreters from several threads
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
try:
    import _interpreters
except ImportError:
    skip("_interpreters is newer than this VM")


def churn():
    it = _interpreters.create()
    _interpreters.run_string(it, "1")
    _interpreters.list_all()
    _interpreters.destroy(it)


def look():
    for it, *_ in _interpreters.list_all():
        _interpreters.is_running(it)


again(churn, churn, look)

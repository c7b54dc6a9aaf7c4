# RustPython/RustPython#skip-handle: one thread handle is started twice
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import _thread

need(_thread, "_ThreadHandle")
handle = _thread._ThreadHandle()
second = _thread._ThreadHandle() if FAULT == "another" else handle
_thread.start_joinable_thread(int, handle=handle)
try:
    _thread.start_joinable_thread(int, handle=second)
except RuntimeError:
    pass
else:
    hit("one handle was started twice")
handle.join()

# RustPython/RustPython#7813: a thread's function is dropped after the thread's slot is gone;
# its weak-reference callback runs Python code
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import threading
import weakref


def threads():
    def f():
        pass


    ref = weakref.ref(f, lambda r: [i for i in range(10)])
    thread = threading.Thread(target=f)
    del f
    thread.start()
    thread.join()


again(threads)

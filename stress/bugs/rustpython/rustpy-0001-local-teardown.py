# devdanzin/rustpython-findings#RUSTPY-0001: thread exit clears its thread-local guards under a
# borrow; a stored object's __del__ makes another local
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import _thread
import threading


local = _thread._local()


class Bad:
    def __del__(self):
        other = _thread._local()
        other.x = 1


def work():
    local.x = Bad()


def threads():
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


again(threads)

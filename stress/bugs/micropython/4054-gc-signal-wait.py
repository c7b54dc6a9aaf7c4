# micropython/micropython#4054: the collector waits for signals of threads that start and end
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import _thread
import gc


def short():
    [i for i in range(10)]


def start():
    for _ in range(100):
        try:
            _thread.start_new_thread(short, ())
        except OSError:
            time.sleep(0.001)


def collect():
    for _ in range(100):
        gc.collect()


again(start, collect)

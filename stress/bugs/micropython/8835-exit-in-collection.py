# micropython/micropython#8835: the interpreter ends while a thread is inside gc.collect()
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import _thread
import gc


def collect():
    while True:
        gc.collect()
        [[i] for i in range(20)]


for _ in range(3):
    _thread.start_new_thread(collect, ())
# What is raced is the end of this program: one run, one try.
time.sleep(0.05)

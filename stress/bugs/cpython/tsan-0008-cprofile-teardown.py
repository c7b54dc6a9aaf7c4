# devdanzin/cpython-tsan-findings#TSAN-0008: the last reference to a running Profile is dropped
# while another thread's event uses it
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import cProfile


def one():
    return len("")


def drop():
    for _ in range(5):
        profile = cProfile.Profile()
        profile.enable()
        one()
        del profile


def call():
    for _ in range(5):
        one()


again(drop, call, call)

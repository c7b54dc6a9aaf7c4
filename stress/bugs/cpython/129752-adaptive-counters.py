# python/cpython#129752: with -X tlbc=0 all threads share one bytecode copy and race for its
# counters
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import os

if "-" not in sys.argv:
    if sys.version_info < (3, 14):
        skip("this VM has no thread-local bytecode to switch off")
    os.execv(sys.executable, [sys.executable, "-X", "tlbc=0", __file__, *sys.argv[1:2], "-"])


def hot():
    total = 0
    for i in range(1000):
        total += i


again(hot, hot)

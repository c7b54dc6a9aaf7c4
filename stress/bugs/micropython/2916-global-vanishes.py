# micropython/micropython#2916: a global counter is stored in one thread while others are read
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
number = 0
fixed = 1
if FAULT == "lost":
    del fixed


def count():
    for _ in range(100):
        global number
        number = (number + 1) % 100


def read():
    for _ in range(100):
        try:
            fixed
            number
        except NameError:
            hit("a global that exists was not found")


again(count, read)

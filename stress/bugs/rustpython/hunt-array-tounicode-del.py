# threadbare/hunt#rustpython-array-tounicode-del: array.tounicode() takes the lock of the array
# twice, del a[1:] waits between
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import array


shared = array.array("u", "wxyzab" * 12)


def text():
    for _ in range(100):
        try:
            shared.tounicode()
        except Exception:
            pass


def delete():
    for _ in range(100):
        try:
            del shared[1:]
            shared.append("x")
        except Exception:
            pass


again(text, delete)

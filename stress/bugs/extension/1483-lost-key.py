# aio-libs/multidict#1483: two updates of one key: the drop of the old value suspends the lock
# while the entry is marked
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
try:
    from multidict import MultiDict
except ImportError as e:
    skip(e)

KEY = 'other' if FAULT == 'lost' else 'key'
shared = MultiDict(key=[0])


def update():
    try:
        for _ in range(100):
            shared.update(key=[1])
            if KEY not in shared:
                hit('the key disappeared')
    except RuntimeError:
        pass


again(update, update)

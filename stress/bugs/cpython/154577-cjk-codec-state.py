# python/cpython#154577: incremental CJK codecs have no lock: decode, getstate and reset
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import codecs


decoder = codecs.getincrementaldecoder("euc_jp")(errors="ignore")
if FAULT == "raise":

    class Refuses:
        getstate = raises(SystemError("planted"))

    decoder = Refuses()
HALF = b"\xa5" if FAULT == "foreign" else b"\xa4"


def decode():
    try:
        for _ in range(50):
            decoder.decode(HALF)
            decoder.reset()
    except SystemError as e:
        hit(repr(e))


def state():
    try:
        for _ in range(50):
            state = decoder.getstate()
            if state[0] not in (b"", b"\xa4"):
                hit("a state that never was: %r" % (state,))
    except SystemError as e:
        hit(repr(e))


def errors():
    try:
        for _ in range(50):
            decoder.errors = "ignore"
            decoder.errors = "replace"
    except SystemError as e:
        hit(repr(e))


again(decode, decode, state, errors)

# python/cpython#123828: a channel send waits on a plain flag that the receiver writes
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
try:
    import _interpchannels
except ImportError:
    skip("_interpchannels is newer than this VM")


channel = _interpchannels.create(2)


def send():
    for _ in range(5):
        _interpchannels.send(channel, b"x", blocking=True, timeout=1)


def receive():
    for _ in range(5):
        _interpchannels.recv(channel)


again(send, receive)

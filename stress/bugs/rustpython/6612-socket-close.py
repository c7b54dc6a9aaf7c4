# RustPython/RustPython#6612: close() of a socket while another thread receives on it
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import socket
import threading


def round_():
    left, right = socket.socketpair()
    got = []

    def receive():
        try:
            got.append(left.recv(1))
        except OSError:
            pass  # it was closed

    thread = threading.Thread(target=receive, daemon=True)
    thread.start()
    if FAULT == "foreign":
        right.send(b"x")
        thread.join(5)
    left.close()
    right.close()
    thread.join(5)
    if got not in ([], [b""]):
        hit("%r came out of a socket into which nothing was sent" % got)


again(round_)

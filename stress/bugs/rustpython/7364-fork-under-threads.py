# RustPython/RustPython#7364: fork while other threads hold VM, import and I/O locks: the child
# hangs
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import os
import threading

sink = open(os.devnull, "w")


def use():
    print("x", file=sink)
    sys.modules.pop("colorsys", None)
    import colorsys


def work():
    while going():
        use()


for _ in range(2):
    threading.Thread(target=work, daemon=True).start()
patience = 5
if FAULT == "asleep":
    use, patience = lambda: time.sleep(600), 0.2
while going():
    child = os.fork()
    if child == 0:
        try:
            use()
        finally:
            os._exit(0)
    limit = now() + patience
    while os.waitpid(child, os.WNOHANG)[0] == 0:
        if now() > limit:
            os.kill(child, 9)
            hit("the child of a fork hangs")
        time.sleep(0.001)

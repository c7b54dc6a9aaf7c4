# threadbare/hunt#cpython-bytearray-exports: taking and releasing a view counts the bytearray's exports up and
# down in plain steps
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---


def turn():
    shared = [bytearray(b"abcdefgh" * 4) for _ in range(many(2000))]

    def look(i):
        memoryview(shared[i]).release()
        memoryview(shared[i]).release()

    in_step(len(shared), look)
    held = memoryview(shared[0]) if FAULT == "held" else None
    for one in shared:
        try:
            one.append(1)
        except BufferError:
            hit("cannot be resized although no view is left")
    del held


rounds(turn)

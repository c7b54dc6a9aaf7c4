# /// probe
# title = "a buffer that an interpreter has lent and then ended: who has the view reads it and lets it go"
# properties = ["S3"]
# mutants = ["sub-view-outlives"]
# ends = ["crash"]
# faults = ["other"]
# ///
# --- kit.py, which the program puts here: a kept probe stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
try:
    import _interpreters, _interpqueues
except ImportError:
    _interpreters = None

SIZE = 4000
CODE = """
import _interpqueues
kept = bytearray(b"%c" * %d)
_interpqueues.put(%d, memoryview(kept), 0, 1)
"""


def lent(byte):
    """The view of a buffer of another interpreter, and that interpreter."""
    if _interpreters is None:
        return memoryview(bytearray([byte] * SIZE)), None
    queue, lender = int(_interpqueues.create(0, 0, 1)), _interpreters.create()
    _interpreters.exec(lender, CODE % (byte, SIZE, queue))
    return _interpqueues.get(queue)[0], lender


if _interpreters is None and not FAULT:
    skip("no module _interpreters")
views, choose = 0, below(0)
while not views or going() and views < 300:
    byte = 97 + choose(26)
    view, lender = lent(byte)
    if lender is not None:
        _interpreters.destroy(lender)
    # Others may want the memory.
    others = [bytearray(SIZE) for _ in range(choose(20))]
    if FAULT == "other":
        view[choose(SIZE)] = 0
    if bytes(view) != bytes([byte] * SIZE):
        problem("S3: the lent buffer has other bytes")
    del view, others
    views += 1
finish(views, "views of buffers whose lender has ended")

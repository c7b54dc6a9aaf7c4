# threadbare/hunt#rustpython-memoryview-release-read: view[1:] while release() gives the view
# back: the new view holds no export, and its bytearray can be emptied
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---


class Box:
    def __init__(self):
        self.data = bytearray(8)
        self.view = memoryview(self.data)


slot = [Box()]


def release():
    for i in range(300):
        slot[0].view.release()
        if i & 3 == 0:
            slot[0] = Box()


def cut():
    for i in range(300):
        box = slot[0]
        try:
            box.view = box.view[1:]
        except ValueError:
            pass
        try:
            box.data.clear()
            bytes(box.view)
        except (BufferError, ValueError):
            pass


again(release, cut)

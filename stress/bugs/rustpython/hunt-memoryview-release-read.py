# threadbare/hunt#rustpython-memoryview-release-read: view[1:] while release() gives the view
# back: the new view holds no export, and its bytearray can be emptied
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)


class Box:
    def __init__(self):
        self.data = bytearray(8)
        self.view = memoryview(self.data)


slot = [Box()]


def release():
    while time.monotonic() < end:
        for i in range(300):
            slot[0].view.release()
            if i & 3 == 0:
                slot[0] = Box()


def cut():
    while time.monotonic() < end:
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


threads = [threading.Thread(target=f) for f in (release, cut)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()

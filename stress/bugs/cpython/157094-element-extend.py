# python/cpython#157094: Element.extend(list) reads a shared list without a lock
import sys
import threading
import time
import xml.etree.ElementTree

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
Element = xml.etree.ElementTree.Element
shared = [Element("c") for _ in range(10)]


def extend():
    while time.monotonic() < end:
        try:
            for _ in range(20):
                Element("x").extend(shared)
        except Exception:
            pass


def change():
    while time.monotonic() < end:
        try:
            for _ in range(20):
                shared.clear()
                shared.extend([Element("c") for _ in range(10)])
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (extend, extend, change, change)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()

# python/cpython#146022: Element indexing against clear() and append()
import sys
import threading
import time
import xml.etree.ElementTree

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
Element = xml.etree.ElementTree.Element
parent = Element("p")


def change():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                parent.clear()
                parent.append(Element("c"))
        except Exception:
            pass


def read():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                if len(parent):
                    parent[0]
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (change, change, read, read)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()

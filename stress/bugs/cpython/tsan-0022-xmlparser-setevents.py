# devdanzin/cpython-tsan-findings#TSAN-0022: XMLParser._setevents() walks the caller's list
# while it grows
import sys
import threading
import time
import xml.etree.ElementTree

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
events = ["end"]


def set_events():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                xml.etree.ElementTree.XMLParser()._setevents([], events)
        except Exception:
            pass


def grow():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                events.append("start")
                events.pop()
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (set_events, grow)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()

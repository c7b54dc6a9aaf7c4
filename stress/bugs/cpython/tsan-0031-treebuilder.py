# devdanzin/cpython-tsan-findings#TSAN-0031: start, data and end of one TreeBuilder from several
# threads
import sys
import threading
import time
import xml.etree.ElementTree

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
builder = xml.etree.ElementTree.TreeBuilder()
builder.start("root", {})


def feed():
    while time.monotonic() < end:
        try:
            for _ in range(20):
                builder.start("a", {})
                builder.data("x%d" % time.monotonic_ns())
                builder.data("y")
                builder.end("a")
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (feed, feed, feed)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()

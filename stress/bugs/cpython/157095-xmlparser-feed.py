# python/cpython#157095: XMLParser.feed() of one parser from several threads
import sys
import threading
import time
import xml.etree.ElementTree

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
def fresh():
    parser = xml.etree.ElementTree.XMLParser()
    parser.feed("<root>")
    return parser


slot = [fresh()]


def feed():
    while time.monotonic() < end:
        try:
            for _ in range(20):
                try:
                    slot[0].feed("<c>text</c>")
                except Exception:
                    slot[0] = fresh()
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (feed, feed, feed, feed)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()

# devdanzin/cpython-tsan-findings#TSAN-0031: start, data and end of one TreeBuilder from several
# threads
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import time
import xml.etree.ElementTree


builder = xml.etree.ElementTree.TreeBuilder()
builder.start("root", {})


def feed():
    for _ in range(20):
        builder.start("a", {})
        builder.data("x%d" % time.monotonic_ns())
        builder.data("y")
        builder.end("a")


again(feed, feed, feed)

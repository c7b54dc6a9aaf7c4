# python/cpython#157095: XMLParser.feed() of one parser from several threads
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import xml.etree.ElementTree


def fresh():
    parser = xml.etree.ElementTree.XMLParser()
    parser.feed("<root>")
    return parser


slot = [fresh()]


def feed():
    for _ in range(20):
        try:
            slot[0].feed("<c>text</c>")
        except Exception:
            slot[0] = fresh()


again(feed, feed, feed, feed)

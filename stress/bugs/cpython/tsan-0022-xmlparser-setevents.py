# devdanzin/cpython-tsan-findings#TSAN-0022: XMLParser._setevents() walks the caller's list
# while it grows
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import xml.etree.ElementTree


events = ["end"]


def set_events():
    for _ in range(50):
        xml.etree.ElementTree.XMLParser()._setevents([], events)


def grow():
    for _ in range(50):
        events.append("start")
        events.pop()


again(set_events, grow)

# zopefoundation/zope.interface#382: an adapter lookup fills a cache in C that another thread
# invalidates
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
try:
    from zope.interface import Interface
    from zope.interface.adapter import AdapterRegistry
except ImportError as e:
    skip(e)


class One(Interface):
    pass


registry = AdapterRegistry()


def look():
    for _ in range(50):
        registry.lookup([One], One)


def register():
    registry.register([One], One, '', object())


again(look, look, register)

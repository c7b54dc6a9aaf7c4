# python/cpython#137238: the first lookup on a class with __getattribute__ replaces the type's
# slot
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---


def turn():
    def make():
        class Proxy:
            def __getattribute__(self, name):
                return 1

        return Proxy()


    proxies = [make() for _ in range(50)]

    def look():
        for proxy in proxies:
            proxy.x

    together(look, look)


rounds(turn)

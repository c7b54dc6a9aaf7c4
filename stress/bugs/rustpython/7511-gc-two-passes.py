# RustPython/RustPython#7511: the collector asks an object for its referents twice and gets two
# answers
import gc
import os
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
class Node:
    pass


root = Node()
root.table = {}
root.me = root


def hit(what):
    print("hit:", what, flush=True)
    os._exit(1)


def collect():
    while time.monotonic() < end:
        try:
            for _ in range(2):
                gc.collect()
        except (AttributeError, KeyError) as e:
            hit(repr(e))


def store():
    while time.monotonic() < end:
        try:
            for _ in range(2):
                node = Node()
                node.me, node.name = node, "n"
                root.table[threading.get_ident()] = node
                if root.table[threading.get_ident()].name != "n":
                    hit("a live object lost its attributes")
        except (AttributeError, KeyError) as e:
            hit(repr(e))


threads = [threading.Thread(target=f) for f in (collect, store, store)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()

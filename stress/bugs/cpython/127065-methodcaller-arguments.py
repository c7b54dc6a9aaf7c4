# python/cpython#127065: one operator.methodcaller writes the receiver into an argument array
# that all threads share
import operator
import os
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
keys = operator.methodcaller("keys")
first, second = {1: 1}, {2: 2}


def hit(what):
    print("hit:", what, flush=True)
    os._exit(1)


def one():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                if list(keys(first)) != [1]:
                    hit("the keys of another dict")
        except TypeError as e:
            hit(repr(e))


def two():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                if list(keys(second)) != [2]:
                    hit("the keys of another dict")
        except TypeError as e:
            hit(repr(e))


threads = [threading.Thread(target=f) for f in (one, two)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()

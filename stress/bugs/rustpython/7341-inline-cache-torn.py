# RustPython/RustPython#7341: a specialised instruction's cached pointer and version are two
# writes
import os
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
class One:
    def f(self):
        return 1


class Two:
    def f(self):
        return 2


one, two = One(), Two()


def call(it):
    return it.f()


def hit(what):
    print("hit:", what, flush=True)
    os._exit(1)


def first():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                if call(one) != 1:
                    hit("the method of another class")
        except AttributeError:
            pass


def second():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                if call(two) != 2:
                    hit("the method of another class")
        except AttributeError:
            pass


def assign():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                One.g = 1
                del One.g
        except AttributeError:
            pass


threads = [threading.Thread(target=f) for f in (first, second, assign)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()

# RustPython/RustPython#7239: a lookup leaves the lock for __eq__ and goes on with the old mask
import os
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
class Key:
    def __init__(self, n):
        self.n = n

    def __hash__(self):
        return self.n % 4

    def __eq__(self, other):
        return self.n == other.n


keys = [Key(i) for i in range(12)]
table = dict.fromkeys(keys, 1)


def hit(what):
    print("hit:", what, flush=True)
    os._exit(1)


def look():
    while time.monotonic() < end:
        try:
            for _ in range(2):
                for key in keys:
                    if key not in table:
                        hit("a key that is there was not found")
        finally:
            pass


def grow():
    while time.monotonic() < end:
        try:
            for _ in range(2):
                for i in range(100, 140):
                    table[Key(i)] = 1
                for i in range(100, 140):
                    table.pop(Key(i), None)
        finally:
            pass


threads = [threading.Thread(target=f) for f in (look, look, grow)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()

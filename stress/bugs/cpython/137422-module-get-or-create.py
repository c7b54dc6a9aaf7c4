# python/cpython#137422: the C function that gets or creates a module by name returns two
# objects
import ctypes
import os
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
add = ctypes.pythonapi.PyImport_AddModuleRef
add.restype = ctypes.py_object
add.argtypes = (ctypes.c_char_p,)


def hit(what):
    print("hit:", what, flush=True)
    os._exit(1)


def turn():
    stem = b"m%d_" % time.monotonic_ns()
    seen, at, turns = ([], []), [0, 0], iter((0, 1))
    ready = []

    def add_all():
        ready.append(1)
        while len(ready) < 2:
            pass
        me = next(turns)
        for i in range(200):
            at[me] = i
            while at[1 - me] < i:
                pass
            seen[me].append(add(stem + b"%d" % i))

    threads = [threading.Thread(target=f) for f in (add_all, add_all)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if any(a is not b for a, b in zip(*seen)):
        hit("one name, two modules")
    for name in [n for n in sys.modules if n.startswith("m") and "_" in n and n[1:2].isdigit()]:
        del sys.modules[name]


while time.monotonic() < end:
    turn()

# python/cpython#128567: the first use of a function prototype marks its layout final from
# several threads
import ctypes
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)


def turn():
    prototypes = [type("F", (ctypes._CFuncPtr,), {"_flags_": 1, "_restype_": None, "_argtypes_": (ctypes.c_void_p,)}) for _ in range(100)]
    ready = []

    def use():
        ready.append(1)
        while len(ready) < 2:
            pass
        try:
            for prototype in prototypes:
                prototype(print)
        except Exception:
            pass

    threads = [threading.Thread(target=f) for f in (use, use)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


while time.monotonic() < end:
    turn()

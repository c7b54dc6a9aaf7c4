# python/cpython#144981: per-code extra data grows with realloc while readers follow the old
# buffer
import ctypes
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
api = ctypes.pythonapi
index = [api.PyUnstable_Eval_RequestCodeExtraIndex(None) for _ in range(200)]
set_extra = api.PyUnstable_Code_SetExtra
set_extra.argtypes = (ctypes.py_object, ctypes.c_ssize_t, ctypes.c_void_p)
get_extra = api.PyUnstable_Code_GetExtra
get_extra.argtypes = (ctypes.py_object, ctypes.c_ssize_t, ctypes.c_void_p)


def turn():
    codes = [compile("%d" % i, "x", "eval") for i in range(20)]
    place = ctypes.c_void_p()
    ready = []

    def grow():
        ready.append(1)
        while len(ready) < 2:
            pass
        try:
            for code in codes:
                for i in index:
                    set_extra(code, i, None)
        except Exception:
            pass

    def read():
        ready.append(1)
        while len(ready) < 2:
            pass
        try:
            for code in codes:
                for _ in index:
                    get_extra(code, 0, ctypes.byref(place))
        except Exception:
            pass

    threads = [threading.Thread(target=f) for f in (grow, read)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


while time.monotonic() < end:
    turn()

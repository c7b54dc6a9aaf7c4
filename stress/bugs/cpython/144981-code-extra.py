# python/cpython#144981: per-code extra data grows with realloc while readers follow the old
# buffer
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import ctypes


api = ctypes.pythonapi
need(api, "PyUnstable_Eval_RequestCodeExtraIndex")
index = [api.PyUnstable_Eval_RequestCodeExtraIndex(None) for _ in range(200)]
set_extra = api.PyUnstable_Code_SetExtra
set_extra.argtypes = (ctypes.py_object, ctypes.c_ssize_t, ctypes.c_void_p)
get_extra = api.PyUnstable_Code_GetExtra
get_extra.argtypes = (ctypes.py_object, ctypes.c_ssize_t, ctypes.c_void_p)


def turn():
    codes = [compile("%d" % i, "x", "eval") for i in range(20)]
    place = ctypes.c_void_p()

    def grow():
        for code in codes:
            for i in index:
                set_extra(code, i, None)

    def read():
        for code in codes:
            for _ in index:
                get_extra(code, 0, ctypes.byref(place))

    together(grow, read)


rounds(turn)

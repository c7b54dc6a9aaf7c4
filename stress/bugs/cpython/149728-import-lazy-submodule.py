# python/cpython#149728: a submodule counts as ready before it is an attribute of its package;
# the package's __getattr__ recurses
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import os
import tempfile

folder = tempfile.mkdtemp()
sys.path.insert(0, folder)
os.mkdir(os.path.join(folder, "pkg"))
with open(os.path.join(folder, "pkg", "__init__.py"), "w") as file:
    if FAULT == "endless":
        file.write("def __getattr__(name):\n    return __getattr__(name)\n")
    else:
        file.write("def __getattr__(name):\n    import pkg.child as child\n    return child\n")
open(os.path.join(folder, "pkg", "child.py"), "w").close()


def load():
    try:
        from pkg import child
    except RecursionError as e:
        hit(repr(e))


def turn():
    for name in ("pkg", "pkg.child"):
        sys.modules.pop(name, None)
    together(load, load, load, load)


rounds(turn)

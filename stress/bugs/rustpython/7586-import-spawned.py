# RustPython/RustPython#7586: imports of packages that import each other from two threads
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import tempfile

folder = tempfile.mkdtemp()
sys.path.insert(0, folder)
for a, b in (("left", "right"), ("right", "left")):
    with open(folder + "/" + a + "_module.py", "w") as file:
        file.write("x = 1\nimport " + b + "_module\n")
        if FAULT == "missing":
            file.write(b + "_module.y\n")


def load(name):
    try:
        __import__(name)
    except (RecursionError, AttributeError, KeyError) as e:
        hit(repr(e))
    except ImportError:
        pass


def turn():
    for name in ("left_module", "right_module"):
        sys.modules.pop(name, None)
    run(lambda: load("left_module"), lambda: load("right_module"))


rounds(turn)

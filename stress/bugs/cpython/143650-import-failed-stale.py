# python/cpython#143650: a module whose import fails is handed to a second thread that saw it in
# sys.modules
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import os
import tempfile

folder = tempfile.mkdtemp()
sys.path.insert(0, folder)
with open(os.path.join(folder, "broken_module.py"), "w") as file:
    file.write("import time\ntime.sleep(0.02)\n" + ("" if FAULT == "sound" else "raise ValueError\n"))


def load(late):
    time.sleep(late)
    try:
        import broken_module

        hit("the import that failed gave %s" % broken_module.__name__)
    except (ValueError, ImportError):
        pass


rounds(lambda: run(lambda: load(0), lambda: load(0.004), lambda: load(0.008)))

# micropython/micropython#7856: a module is imported from a file and its dict walked in two
# threads
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import os

name = "mp_import_%d" % (time.time() % 1000)
sys.path.insert(0, "/tmp")
with open("/tmp/" + name + ".py", "w") as file:
    file.write("a = 1\nb = [2]\n")


def load():
    for _ in range(100):
        it = __import__(name)
        for key in it.__dict__:
            str(key)
        sys.modules.pop(name, None)


again(load, load)
os.remove("/tmp/" + name + ".py")

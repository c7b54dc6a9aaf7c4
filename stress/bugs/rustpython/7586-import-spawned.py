# RustPython/RustPython#7586: imports of packages that import each other from two threads
import os, sys, tempfile, threading, time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
folder = tempfile.mkdtemp()
sys.path.insert(0, folder)
for a, b in (("left", "right"), ("right", "left")):
    with open(folder + "/" + a + "_module.py", "w") as file:
        file.write("x = 1\nimport " + b + "_module\n")
errors = []


def load(name):
    try:
        __import__(name)
    except (RecursionError, AttributeError, KeyError) as e:
        errors.append(e)
    except ImportError:
        pass


while time.monotonic() < end and not errors:
    names = ["left_module", "right_module"]
    for name in names:
        sys.modules.pop(name, None)
    threads = [threading.Thread(target=load, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
if errors:
    print("hit:", repr(errors[0]))
    sys.exit(1)

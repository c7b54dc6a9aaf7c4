# python/cpython#149728: a submodule counts as ready before it is an attribute of its package;
# the package's __getattr__ recurses
import os, sys, tempfile, threading, time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
folder = tempfile.mkdtemp()
sys.path.insert(0, folder)
os.mkdir(os.path.join(folder, "pkg"))
with open(os.path.join(folder, "pkg", "__init__.py"), "w") as file:
    file.write("def __getattr__(name):\n    import pkg.child as child\n    return child\n")
open(os.path.join(folder, "pkg", "child.py"), "w").close()
errors = []


def load():
    try:
        from pkg import child
    except RecursionError as e:
        errors.append(e)
    except Exception:
        pass


while time.monotonic() < end and not errors:
    for name in ("pkg", "pkg.child"):
        sys.modules.pop(name, None)
    threads = [threading.Thread(target=load) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
if errors:
    print("hit:", repr(errors[0]))
    sys.exit(1)

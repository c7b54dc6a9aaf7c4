# python/cpython#143650: a module whose import fails is handed to a second thread that saw it in
# sys.modules
import os, sys, tempfile, threading, time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
folder = tempfile.mkdtemp()
sys.path.insert(0, folder)
with open(os.path.join(folder, "broken_module.py"), "w") as file:
    file.write("import time\ntime.sleep(0.02)\nraise ValueError\n")
stale = []


def load():
    try:
        import broken_module

        stale.append(broken_module)
    except (ValueError, ImportError):
        pass


while time.monotonic() < end and not stale:
    threads = [threading.Thread(target=load) for _ in range(3)]
    for i, thread in enumerate(threads):
        thread.start()
        time.sleep(0.004)
    for thread in threads:
        thread.join()
if stale:
    print("hit: the import that failed gave a module")
    sys.exit(1)

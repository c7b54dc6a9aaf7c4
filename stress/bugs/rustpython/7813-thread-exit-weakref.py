# RustPython/RustPython#7813: a thread's function is dropped after the thread's slot is gone;
# its weak-reference callback runs Python code
import sys
import threading
import time
import weakref

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)


def threads():
    while time.monotonic() < end:
        try:
            def f():
                pass


            ref = weakref.ref(f, lambda r: [i for i in range(10)])
            thread = threading.Thread(target=f)
            del f
            thread.start()
            thread.join()
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (threads,)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()

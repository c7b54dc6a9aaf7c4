# python/cpython#152330: a trampoline is compiled for one code object by several threads; it is
# switched off while in use
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)


def toggle():
    while time.monotonic() < end:
        try:
            for _ in range(2):
                sys.activate_stack_trampoline("perf")
                sys.deactivate_stack_trampoline()
        except Exception:
            pass


def call():
    while time.monotonic() < end:
        try:
            for _ in range(2):
                scope = {}
                exec("def f():\n    return 1", scope)
                for _ in range(5):
                    scope["f"]()
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (toggle, call, call)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()

# python/cpython#118415: opcode tracing is switched on in one thread while another runs the same
# code
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
def tracer(frame, event, arg):
    frame.f_trace_opcodes = True
    return tracer


def target(n):
    return [i for i in range(n)]


def trace():
    while time.monotonic() < end:
        try:
            for _ in range(5):
                sys.settrace(tracer)
                target(5)
                sys.settrace(None)
        except Exception:
            pass


def call():
    while time.monotonic() < end:
        try:
            for _ in range(5):
                target(5)
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (trace, trace, call)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()

# devdanzin/cpython-tsan-findings#TSAN-0029: a frame's f_trace is assigned from another thread
# while the trampoline stores into it
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
def tracer(frame, event, arg):
    return lambda *args: tracer


def run():
    sys.settrace(tracer)
    while time.monotonic() < end:
        for _ in range(100):
            pass


thread = threading.Thread(target=run)
thread.start()


def assign():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                frame = sys._current_frames().get(thread.ident)
                frame.f_trace = lambda *args: None
                frame.f_trace_opcodes = False
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (assign, assign)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()

# threadbare/hunt#cpython-traceback-next: tb.tb_next = x frees the chain that another thread
# walks
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
def deep(n):
    if n:
        deep(n - 1)
    raise ValueError(n)


def build(n):
    try:
        deep(n)
    except ValueError as e:
        return e.__traceback__


shared = build(2)


def store():
    while time.monotonic() < end:
        for _ in range(100):
            try:
                shared.tb_next = build(2)
            except Exception:
                pass


def walk():
    while time.monotonic() < end:
        for _ in range(100):
            try:
                shared.tb_next.tb_next.tb_frame.f_code
            except Exception:
                pass


threads = [threading.Thread(target=f) for f in (store, walk)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()

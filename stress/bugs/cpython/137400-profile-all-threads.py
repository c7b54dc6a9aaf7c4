# python/cpython#137400: setprofile_all_threads() walks thread states while a thread exits and
# writes their trace fields
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
def profile(frame, event, arg):
    pass


def set_all():
    while time.monotonic() < end:
        try:
            for _ in range(2):
                threading.setprofile_all_threads(profile)
                threading.setprofile_all_threads(None)
        except Exception:
            pass


def threads():
    while time.monotonic() < end:
        try:
            for _ in range(2):
                young = [threading.Thread(target=sum, args=(range(10),)) for _ in range(5)]
                for thread in young:
                    thread.start()
                for thread in young:
                    thread.join()
        except Exception:
            pass


def call():
    while time.monotonic() < end:
        try:
            for _ in range(2):
                abs(1)
                threading.get_ident()
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (set_all, threads, call)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()

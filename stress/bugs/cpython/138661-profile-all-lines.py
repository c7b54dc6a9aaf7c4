# python/cpython#138661: a traceback's line lookup reads instrumentation data while
# setprofile_all_threads() makes it
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
def fail():
    raise ValueError


def fail_often():
    while time.monotonic() < end:
        try:
            for _ in range(2):
                scope = {}
                exec("def fail():\n    raise ValueError", scope)
                for _ in range(10):
                    try:
                        scope["fail"]()
                    except ValueError as e:
                        e.__traceback__.tb_lineno
                        e.__traceback__.tb_next.tb_lineno
        except Exception:
            pass


def profile():
    while time.monotonic() < end:
        try:
            for _ in range(2):
                threading.setprofile_all_threads(lambda *args: None)
                threading.setprofile_all_threads(None)
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (fail_often, fail_often, profile)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()

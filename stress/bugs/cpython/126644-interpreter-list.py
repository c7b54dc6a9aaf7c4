# python/cpython#126644: create, run, destroy and list of interpreters from several threads
import _interpreters
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)


def churn():
    while time.monotonic() < end:
        try:
            it = _interpreters.create()
            _interpreters.run_string(it, "1")
            _interpreters.list_all()
            _interpreters.destroy(it)
        except Exception:
            pass


def look():
    while time.monotonic() < end:
        try:
            for it, *_ in _interpreters.list_all():
                _interpreters.is_running(it)
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (churn, churn, look)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()

# devdanzin/rustpython-findings#RUSTPY-0001: thread exit clears its thread-local guards under a
# borrow; a stored object's __del__ makes another local
import _thread
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
local = _thread._local()


class Bad:
    def __del__(self):
        other = _thread._local()
        other.x = 1


def work():
    local.x = Bad()


def threads():
    while time.monotonic() < end:
        try:
            thread = threading.Thread(target=work)
            thread.start()
            thread.join()
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (threads,)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()

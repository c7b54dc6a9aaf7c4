# python/cpython#153935: settimeout() against gettimeout()
import socket
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
connection = socket.socket()


def set_it():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                connection.settimeout(1.0)
                connection.settimeout(None)
        except Exception:
            pass


def get_it():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                connection.gettimeout()
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (set_it, get_it)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()

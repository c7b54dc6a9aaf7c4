# python/cpython#123828: a channel send waits on a plain flag that the receiver writes
import _interpchannels
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
channel = _interpchannels.create(2)


def send():
    while time.monotonic() < end:
        try:
            for _ in range(5):
                _interpchannels.send(channel, b"x", blocking=True, timeout=1)
        except Exception:
            pass


def receive():
    while time.monotonic() < end:
        try:
            for _ in range(5):
                _interpchannels.recv(channel)
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (send, receive)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()

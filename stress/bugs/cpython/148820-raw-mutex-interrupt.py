# python/cpython#148820: a waiter of a raw lock wakes by a signal and destroys its semaphore
# before the releaser posts it
import signal
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
signal.signal(signal.SIGUSR1, lambda *args: None)
main = threading.main_thread().ident
shared = [str(i) for i in range(500)]


def churn():
    for _ in range(20):
        shared.sort(key=str.__len__)
        shared.append("x")
        shared.pop()


def signals():
    while time.monotonic() < end:
        try:
            for _ in range(2):
                signal.pthread_kill(main, signal.SIGUSR1)
        except Exception:
            pass


def work():
    while time.monotonic() < end:
        try:
            for _ in range(2):
                churn()
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (signals, work, work)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
while time.monotonic() < end:
    churn()

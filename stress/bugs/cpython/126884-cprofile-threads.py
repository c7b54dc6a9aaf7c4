# python/cpython#126884: one cProfile.Profile is fed by all threads: its tree of entries has no
# lock
import cProfile
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
def one():
    return len("")


def two():
    return one() + abs(1)


def turn():
    profile = cProfile.Profile()
    profile.enable()
    ready = []

    def call():
        ready.append(1)
        while len(ready) < 3:
            pass
        try:
            for _ in range(2000):
                one()
                two()
                str(1)
        except Exception:
            pass

    threads = [threading.Thread(target=f) for f in (call, call, call)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    profile.disable()
    profile.getstats()


while time.monotonic() < end:
    turn()

# python/cpython#113956: setattr() with a fresh key makes a string of another thread immortal
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)


def turn():
    class Box:
        pass


    stem = str(time.monotonic_ns())
    box, keys = Box(), ["k" + stem + str(i) for i in range(300)]
    ready = []

    def store():
        ready.append(1)
        while len(ready) < 3:
            pass
        try:
            for key in keys:
                setattr(box, key, 1)
        except Exception:
            pass

    threads = [threading.Thread(target=f) for f in (store, store, store)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


while time.monotonic() < end:
    turn()

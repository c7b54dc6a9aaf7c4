# python/cpython#128013: the UTF-8 copy of a shared str is made on first use and stored without
# synchronisation
import codecs
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)


def turn():
    words = ["\u00e9%d" % i for i in range(300)]
    ready = []

    def use():
        ready.append(1)
        while len(ready) < 2:
            pass
        try:
            for word in words:
                try:
                    float(word)
                except ValueError:
                    pass
                try:
                    codecs.lookup(word)
                except LookupError:
                    pass
        except Exception:
            pass

    threads = [threading.Thread(target=f) for f in (use, use)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


while time.monotonic() < end:
    turn()

# python/cpython#137238: the first lookup on a class with __getattribute__ replaces the type's
# slot
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)


def turn():
    def make():
        class Proxy:
            def __getattribute__(self, name):
                return 1

        return Proxy()


    proxies = [make() for _ in range(50)]
    ready = []

    def look():
        ready.append(1)
        while len(ready) < 2:
            pass
        try:
            for proxy in proxies:
                proxy.x
        except Exception:
            pass

    threads = [threading.Thread(target=f) for f in (look, look)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


while time.monotonic() < end:
    turn()

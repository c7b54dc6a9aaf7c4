# python/cpython#127020: co_code, co_varnames and co_freevars fill a cache on first access
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)


def turn():
    codes = [compile("def f(a, b):\n c = %d\n return lambda: c" % i, "x", "exec").co_consts[0] for i in range(300)]
    ready = []

    def look():
        ready.append(1)
        while len(ready) < 2:
            pass
        try:
            for code in codes:
                code.co_code
                code.co_varnames
                code.co_cellvars
                code.co_freevars
        except Exception:
            pass

    threads = [threading.Thread(target=f) for f in (look, look)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


while time.monotonic() < end:
    turn()

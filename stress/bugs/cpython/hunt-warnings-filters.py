# threadbare/hunt#cpython-warnings-filters: a warning walks the list of filters with borrowed
# items while simplefilter() replaces them
import sys
import threading
import time
import warnings

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
warnings.simplefilter("ignore")


def warn():
    while time.monotonic() < end:
        for _ in range(100):
            try:
                warnings.warn_explicit("w", UserWarning, "f", 5, "m", {})
            except Exception:
                pass


def filters():
    while time.monotonic() < end:
        for _ in range(100):
            try:
                warnings.simplefilter("ignore")
            except Exception:
                pass


threads = [threading.Thread(target=f) for f in (warn, warn, filters)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()

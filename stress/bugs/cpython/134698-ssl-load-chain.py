# python/cpython#134698: SSLContext.load_cert_chain() and other set-up of one context from
# several threads
import ssl
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
context = ssl.create_default_context()


def load():
    while time.monotonic() < end:
        try:
            context.load_default_certs()
            context.set_ciphers("DEFAULT")
        except Exception:
            pass


def read():
    while time.monotonic() < end:
        try:
            context.get_ciphers()
            context.cert_store_stats()
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (load, load, read, read)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()

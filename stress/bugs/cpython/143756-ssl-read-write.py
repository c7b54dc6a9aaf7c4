# python/cpython#143756: read and write on one SSL object use OpenSSL without a lock
import ssl
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
def fresh():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO())


slot = [fresh()]


def handshake():
    while time.monotonic() < end:
        try:
            for _ in range(5):
                try:
                    slot[0].do_handshake()
                except ssl.SSLError:
                    pass
        except Exception:
            pass


def write():
    while time.monotonic() < end:
        try:
            for _ in range(5):
                try:
                    slot[0].write(b"x")
                except ssl.SSLError:
                    pass
        except Exception:
            pass


def replace():
    while time.monotonic() < end:
        try:
            for _ in range(5):
                slot[0] = fresh()
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (handshake, handshake, write, replace)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()

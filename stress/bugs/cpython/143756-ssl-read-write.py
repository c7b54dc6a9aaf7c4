# python/cpython#143756: read and write on one SSL object use OpenSSL without a lock
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import ssl


def fresh():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO())


slot = [fresh()]


def handshake():
    for _ in range(5):
        try:
            slot[0].do_handshake()
        except ssl.SSLError:
            pass


def write():
    for _ in range(5):
        try:
            slot[0].write(b"x")
        except ssl.SSLError:
            pass


def replace():
    for _ in range(5):
        slot[0] = fresh()


again(handshake, handshake, write, replace)

# python/cpython#134698: SSLContext.load_cert_chain() and other set-up of one context from
# several threads
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import ssl


context = ssl.create_default_context()


def load():
    context.load_default_certs()
    context.set_ciphers("DEFAULT")


def read():
    context.get_ciphers()
    context.cert_store_stats()


again(load, load, read, read)

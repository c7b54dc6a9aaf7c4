# devdanzin/cpython-tsan-findings#TSAN-0020: the first SSLContext fills OpenSSL's method cache
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import ssl


def trial():  # runs in a process of its own: what is raced is a first use

    def make():
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

    together(make, make)


forked(trial)

# python/cpython#127081: getservbyname() and its like return static buffers of the C library
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import socket


ports = {"ssh": 22, "telnet": 23, "smtp": 25, "domain": 53, "http": 80, "https": 443}
for name in list(ports):
    try:
        socket.getservbyname(name)
    except OSError:
        del ports[name]
if FAULT == "foreign":
    ports["http"] = 81
if len(ports) < 2:
    skip("no services are listed on this machine")


def ask():
    for _ in range(5):
        for name, port in ports.items():
            try:
                answer = socket.getservbyname(name)
            except OSError:
                continue
            if answer != port:
                hit("%s is %d" % (name, answer))


again(ask, ask, ask)

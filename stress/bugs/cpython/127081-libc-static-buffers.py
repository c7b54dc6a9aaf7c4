# python/cpython#127081: getservbyname() and its like return static buffers of the C library
import os
import socket
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
ports = {"ssh": 22, "telnet": 23, "smtp": 25, "domain": 53, "http": 80, "https": 443}
for name in list(ports):
    try:
        socket.getservbyname(name)
    except OSError:
        del ports[name]
if len(ports) < 2:
    print("skip: no services are listed on this machine")
    sys.exit(77)


def hit(what):
    print("hit:", what, flush=True)
    os._exit(1)


def ask():
    while time.monotonic() < end:
        try:
            for _ in range(5):
                for name, port in ports.items():
                    try:
                        answer = socket.getservbyname(name)
                    except OSError:
                        continue
                    if answer != port:
                        hit("%s is %d" % (name, answer))
        finally:
            pass


threads = [threading.Thread(target=f) for f in (ask, ask, ask)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()

# devdanzin/cpython-tsan-findings#TSAN-0020: the first SSLContext fills OpenSSL's method cache
import os
import ssl
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)


def hit(what):
    print("hit:", what, flush=True)
    os._exit(1)


def trial():  # runs in a process of its own: what is raced is a first use
    ready = []

    def make():
        ready.append(1)
        while len(ready) < 2:
            pass
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        except Exception:
            pass

    threads = [threading.Thread(target=f) for f in (make, make)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


while time.monotonic() < end:
    child = os.fork()
    if child == 0:
        trial()
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        os.kill(os.getpid(), os.WTERMSIG(status))
    if status:
        sys.exit(1)

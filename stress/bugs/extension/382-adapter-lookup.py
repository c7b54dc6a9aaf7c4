# zopefoundation/zope.interface#382: an adapter lookup fills a cache in C that another thread
# invalidates
import os, sys, threading, time

try:
    from zope.interface import Interface
    from zope.interface.adapter import AdapterRegistry
except ImportError as e:
    print("skip:", e)
    sys.exit(77)
end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
class One(Interface):
    pass


registry = AdapterRegistry()


def hit(what):
    print("hit:", what, flush=True)
    os._exit(1)


def look():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                registry.lookup([One], One)
        except Exception:
            pass


def register():
    while time.monotonic() < end:
        try:
            registry.register([One], One, '', object())
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (look, look, register)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()

# python-rapidjson/python-rapidjson#234: dumps() walks dicts and lists without a lock
import os, sys, threading, time

try:
    import rapidjson
except ImportError as e:
    print("skip:", e)
    sys.exit(77)
end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
shared = {str(i): [i] for i in range(20)}


def hit(what):
    print("hit:", what, flush=True)
    os._exit(1)


def dump():
    while time.monotonic() < end:
        try:
            for _ in range(20):
                rapidjson.dumps(shared)
        except Exception:
            pass


def change():
    while time.monotonic() < end:
        try:
            for i in range(20):
                shared[str(i)] = [i]
                shared.pop(str(i))
                shared[str(i)] = [i]
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (dump, dump, change)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()

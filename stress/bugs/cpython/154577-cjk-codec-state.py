# python/cpython#154577: incremental CJK codecs have no lock: decode, getstate and reset
import codecs
import os
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
decoder = codecs.getincrementaldecoder("euc_jp")(errors="ignore")


def hit(what):
    print("hit:", what, flush=True)
    os._exit(1)


def decode():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                decoder.decode(b"\xa4")
                decoder.reset()
        except SystemError as e:
            hit(repr(e))
        except Exception:
            pass


def state():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                state = decoder.getstate()
                if state[0] not in (b"", b"\xa4"):
                    hit("a state that never was: %r" % (state,))
        except SystemError as e:
            hit(repr(e))
        except Exception:
            pass


def errors():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                decoder.errors = "ignore"
                decoder.errors = "replace"
        except SystemError as e:
            hit(repr(e))
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (decode, decode, state, errors)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()

# python/cpython#154348: sys.monitoring.use_tool_id() checks and sets the name in two steps
import os
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)


def hit(what):
    print("hit:", what, flush=True)
    os._exit(1)


def turn():
    winners = []
    ready = []

    def claim():
        ready.append(1)
        while len(ready) < 4:
            pass
        try:
            sys.monitoring.use_tool_id(3, "tool")
            winners.append(1)
        except ValueError:
            pass

    threads = [threading.Thread(target=f) for f in (claim, claim, claim, claim)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sys.monitoring.free_tool_id(3)
    if len(winners) != 1:
        hit("%d threads own one tool" % len(winners))


while time.monotonic() < end:
    turn()

# numpy/numpy#32063: SeedSequence.spawn() reads the counter, builds, and stores it: two children
# are the same
import os, sys, threading, time

try:
    from numpy.random import SeedSequence
except ImportError as e:
    print("skip:", e)
    sys.exit(77)
end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
sequence = SeedSequence(1)
seen = [[], []]
turns = iter(seen)


def hit(what):
    print("hit:", what, flush=True)
    os._exit(1)


def spawn():
    while time.monotonic() < end:
        try:
            mine = next(turns)
            for _ in range(2000):
                mine.append(sequence.spawn(1)[0].spawn_key)
            break
        except ValueError:
            pass


threads = [threading.Thread(target=f) for f in (spawn, spawn)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
if set(seen[0]) & set(seen[1]):
    hit('two children have one key')

# numpy/numpy#32059: get_state() beside seed() returns the state of two moments
import os, sys, threading, time

try:
    import numpy
except ImportError as e:
    print("skip:", e)
    sys.exit(77)
end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
state = numpy.random.RandomState(1)
legal = []
for seed in (1, 2):
    state.seed(seed)
    legal.append(state.get_state()[1].tobytes())


def hit(what):
    print("hit:", what, flush=True)
    os._exit(1)


def seed():
    while time.monotonic() < end:
        try:
            state.seed(1)
            state.seed(2)
        except ValueError:
            pass


def read():
    while time.monotonic() < end:
        try:
            if state.get_state()[1].tobytes() not in legal:
                hit('a state of neither seed')
        except ValueError:
            pass


threads = [threading.Thread(target=f) for f in (seed, read, read)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()

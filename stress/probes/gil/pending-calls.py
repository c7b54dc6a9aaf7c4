# /// probe
# title = "calls queued for the main thread by many threads run exactly once"
# properties = ["L7"]
# mutants = ["gil-bit-plain-store", "gil-pending-clear-late"]
# needs = ["threading", "ctypes"]
# faults = ["lost", "twice"]
# ///
# --- kit.py, which the program puts here: a kept probe stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import ctypes

if not hasattr(ctypes, "pythonapi") or not hasattr(ctypes.pythonapi, "Py_AddPendingCall"):
    skip("no Py_AddPendingCall")
add = ctypes.pythonapi.Py_AddPendingCall
ran, accepted, done = [], [], []


@ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)
def call(key):
    if FAULT == "lost" and key % 100 == 0:
        return 0
    ran.append(key)
    if FAULT == "twice" and key % 100 == 0:
        ran.append(key)
    return 0


def queuer(number):
    def body():
        key = number * 10_000_000 + 1
        while going() and key % 10_000_000 < 100_000:
            if add(call, ctypes.c_void_p(key)) == 0:
                accepted.append(key)
                key += 1
            else:  # full
                time.sleep(0)
        done.append(number)

    return body


started = [Thread(target=queuer(number)) for number in range(1, 4)]
for thread in started:
    thread.start()
while len(done) < 3:  # the main thread must reach safe points
    for _ in range(100):
        pass
for thread in started:
    thread.join()
settle(lambda: len(ran) >= len(accepted))
if len(ran) != len(set(ran)):
    problem("L7: %d calls ran twice" % (len(ran) - len(set(ran))))
elif set(ran) != set(accepted):
    problem("L7: %d of %d queued calls never ran" % (len(set(accepted) - set(ran)), len(accepted)))
finish(len(accepted), "queued calls")

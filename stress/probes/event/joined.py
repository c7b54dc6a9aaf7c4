# /// probe
# title = "several threads join one, some with a time limit: who is told that it has ended sees what it did, and all are told"
# properties = ["E1", "E2"]
# mutants = ["event-store-not-exchange", "event-wait-no-recheck", "event-wakes-nobody", "once-wakes-nobody"]
# also = { once = ["O1", "O2"] }
# needs = ["threading"]
# ends = ["hang"]
# faults = ["early", "hang"]
# ///
# --- kit.py, which the program puts here: a kept probe stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
# A thread's handle is an event for its end and a once flag for the joining.
total = 0


def short(done, choose):
    def body():
        for n in range(choose(30)):
            done.append(n)
        done.append("end")

    return body


def joiner(thread, done, choose, told):
    def body():
        while choose(3) == 0:
            thread.join(choose(20) / 1e6)
            if FAULT == "early" or not thread.is_alive():
                break
        else:
            thread.join()
        if FAULT == "early" or not thread.is_alive():
            if FAULT == "early":
                done[:] = [0]
            if not done or done[-1] != "end":
                problem("E1: told that a thread has ended before its end")
        else:
            problem("E1: joined without a limit, and the thread is alive")
        told.append(1)

    return body


while going():
    done, told = [], []
    thread = Thread(target=short(done, below(total * 4)))
    joiners = [joiner(thread, done, below(total * 4 + n), told) for n in (1, 2, 3)]
    thread.start()
    threads(*joiners)
    if FAULT == "hang":
        told.pop()
    if len(told) != 3 and not problems:
        problem("E2: %d of 3 were told" % len(told))
    total += 1
finish(total, "threads that three others joined")

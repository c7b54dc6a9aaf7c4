# /// probe
# title = "an interpreter ends although threads ask for its lock while it does"
# properties = ["L8"]
# mutants = ["gil-withdraw-unlocked", "gil-exit-keeps-request"]
# needs = ["threading", "gil"]
# ends = ["hang"]
# faults = ["stuck"]
# ///
# A child interpreter each time. Judged by what the kernel says, not by time: one that sleeps and has used no
# processor time between many looks waits for ever.
# --- kit.py, which the program puts here: a kept probe stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
try:
    import os
    import signal
    import subprocess

    open("/proc/self/stat").close()
except (ImportError, OSError):
    skip("no subprocess, or no /proc to see in whether one sleeps")

CHILD = """
import builtins, sys, threading
sys.setswitchinterval(1e-6)
def spin():
    while True:
        pass
for _ in range(%d):
    threading.Thread(target=spin, daemon=True).start()
class Late:
    lock = threading.Lock()
    def __del__(self):
        while %r:
            self.lock.acquire()
builtins.late = Late()
"""
LOOKS, PAUSE = 40, 0.05
ended = [0]


def state(child):
    """Whether the main thread sleeps, and the processor time that the process has used."""
    with open("/proc/%d/stat" % child.pid) as file:
        fields = file.read().rpartition(")")[2].split()
    return fields[0], fields[11], fields[12]


def stuck(child):
    before, same = None, 0
    while child.poll() is None:
        after = state(child)
        same = same + 1 if after == before and after[0] == "S" else 0
        if same == LOOKS:
            return True
        before = after
        time.sleep(PAUSE if same else 0.005)
    return False


def starter():
    choose = below(1)
    while going():
        spinning = 1 + choose(3)
        # Its own switch interval has threads ask while the main thread ends.
        child = subprocess.Popen([sys.executable, "-c", CHILD % (spinning, FAULT == "stuck")])
        if stuck(child):
            problem("L8: an interpreter with %d threads asking for its lock never ends" % spinning)
            child.kill()
            child.wait()
        elif child.returncode in (-signal.SIGKILL, -signal.SIGTERM, -signal.SIGINT, -signal.SIGHUP):
            os.kill(os.getpid(), -child.returncode)  # somebody sent it, to this process as much as to its child
        elif child.returncode:
            problem("an interpreter ended with %d" % child.returncode)
        ended[0] += 1


starter()
finish(ended[0], "interpreters ended beside threads that asked for the lock")

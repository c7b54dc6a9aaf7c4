#!/usr/bin/env python3
"""Kills a campaign at random moments and checks that nothing is lost and nothing is there twice.

    ci/cluster/kills.py PROGRAM [KILLS] [SEED]      default: 50 kills, a seed drawn afresh

A campaign over one subject of the machine's python3, one shard, is started again after each kill -9 of all of its
processes. The subject has a planted fault. After each kill and at the end:

- `hunt.json` and every finding can be read, and what was counted is not less than before;
- every number below the next one was run, or is to be run;
- what the saved state counts as run is never run again: a kill costs what was in flight, which is run once more;
- no two findings have one kind, subject and place, and a finding that was there stays, as it was or as another
  of its place.

Exit codes: 0 all held, 1 something did not.
"""
import glob
import gzip
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter

SUBJECT = """
[[subject]]
name = "planted"
doc = "a check of the object's that one operation in the middle of another breaks"
prelude = '''
class Planted(object):
    def __init__(self):
        self.n = 0
    def add(self):
        self.n = self.n + 1
        return None
'''
make = ["Planted()"]
final = "o.n"
company = false
source = "planted"
atomic = ["o.add()", "run: o.missing"]
silent = ["o.n", "do: o.n = {n}", "run: o.add()", "run: os.kill(os.getpid(), 11) if o.n == 3 else None"]
requires = ["os"]
"""


def main():
    program = os.path.abspath(sys.argv[1])
    kills = int(sys.argv[2]) if len(sys.argv) > 2 else 50
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else random.randrange(1 << 30)
    print("seed %d, %d kills" % (seed, kills), flush=True)
    draw = random.Random(seed)
    folder = tempfile.mkdtemp(prefix="threadbare-kills-")
    try:
        checks = Checks(folder)
        for kill in range(kills):
            campaign = start(program, folder)
            time.sleep(draw.uniform(0.3, 5))
            end(campaign)
            checks.look("kill %d" % (kill + 1))
        campaign = start(program, folder)
        until = time.time() + 240
        while time.time() < until and not checks.places:
            time.sleep(5)
            checks.look("afterwards")
        # Once more as a user ends it.
        campaign.send_signal(signal.SIGINT)
        campaign.wait(120)
        checks.look("the end")
        assert checks.places, "the planted fault was not found"
        print("ok: %d kills, %d found work in flight; %d scenarios run, %d of them twice for that; %d places"
              % (kills, checks.struck, sum(checks.runs.values()), sum(n - 1 for n in checks.runs.values()),
                 len(checks.places)))
    finally:
        shutil.rmtree(folder)


def start(program, folder):
    with open(os.path.join(folder, "planted.toml"), "w") as file:
        file.write(SUBJECT)
    config = os.path.join(folder, "campaign.toml")
    with open(config, "w") as file:
        file.write("vms = ['python3']\ntime = '10m'\nshards = 1\nsubjects = [%r]\nout = 'out'\n"
                   "options = ['--scenario-ms', '20', '--company', 'none']\n" % os.path.join(folder, "planted.toml"))
    return subprocess.Popen([program, "campaign", "run", config], stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL, start_new_session=True)


def below(pid):
    """A process and all below it."""
    pids = [pid]
    for task in glob.glob("/proc/%d/task/*/children" % pid):
        try:
            with open(task) as file:
                for child in file.read().split():
                    pids += below(int(child))
        except OSError:
            pass
    return pids


def end(campaign):
    for pid in below(campaign.pid):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    campaign.wait()


class Checks(object):
    def __init__(self, folder):
        self.folder = folder
        self.scenarios = 0
        self.again = Counter()
        self.struck = 0
        self.places = set()
        self.runs = Counter()

    def look(self, when):
        for out in glob.glob(os.path.join(self.folder, "out", "*", "shard-*")):
            state = {"subjects": {}, "flight": [], "pending": []}  # nothing is saved before the first process has ended
            hunt = os.path.join(out, "hunt.json")
            if os.path.exists(hunt):
                with open(hunt) as file:
                    state = json.load(file)
            self.look_at(when, out, state)

    def look_at(self, when, out, state):
        totals = state["subjects"].get("planted", {"next": 0, "scenarios": 0})
        assert totals["scenarios"] >= self.scenarios, when + ": fewer scenarios than before"
        self.scenarios = totals["scenarios"]
        self.runs = Counter()
        for path in glob.glob(os.path.join(out, "histories", "*.gz")):
            with gzip.open(path) as file:
                saved = json.load(file)
            begun = [line.split("\t")[1] for line in saved["outcome"]["stdout"] if line.startswith("B\t")]
            self.runs.update(saved["numbers"][int(i)] for i in begun)
        later = set(k for _, k in state["flight"] + state["pending"])
        lost = [k for k in range(totals["next"]) if k not in self.runs and k not in later]
        assert not lost, "%s: lost %r" % (when, lost)
        twice = {k: n for k, n in self.runs.items() if n > 1 + self.again[k]}
        assert not twice, "%s: run again: %r" % (when, twice)
        if when.startswith("kill"):
            open_work = [k for k in self.runs if k >= totals["next"] or k in later]
            self.again.update(open_work)
            self.struck += bool(open_work)
        places = Counter()
        for path in glob.glob(os.path.join(out, "findings", "*", "finding.json")):
            with open(path) as file:
                finding = json.load(file)
            if finding["minimised"]:
                places[finding["kind"], json.dumps(finding.get("place"), sort_keys=True)] += 1
        double = [place for place, n in places.items() if n > 1]
        assert not double, "%s: twice: %r" % (when, double)
        gone = self.places - set(places)
        assert not gone, "%s: gone: %r" % (when, gone)
        self.places = set(places)


if __name__ == "__main__":
    try:
        main()
    except AssertionError as error:
        print("FAILED: %s" % error)
        sys.exit(1)

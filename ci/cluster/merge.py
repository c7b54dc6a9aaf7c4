#!/usr/bin/env python3
"""How long merging many hunts takes, and how much memory.

    ci/cluster/merge.py PROGRAM OUT [FOLDERS] [EACH]      default: 1,000 folders of 5 findings

Makes folders of findings that are all different, copies of those of OUT (any hunt that found something) under names of
their own, merges them, and merges them once more in the other order. Prints the machine, the command, time and memory.
Exit codes: 0 each finding is there once, in both orders; 1 not; 2 usage.
"""
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    program, out = os.path.abspath(sys.argv[1]), sys.argv[2]
    folders = int(sys.argv[3]) if len(sys.argv) > 3 else 1000
    each = int(sys.argv[4]) if len(sys.argv) > 4 else 5
    found = os.path.join(out, "findings")
    patterns = sorted(os.path.join(found, name) for name in os.listdir(found))
    patterns = [p for p in patterns if os.path.isfile(os.path.join(p, "finding.json"))]
    work = tempfile.mkdtemp(prefix="threadbare-merge-")
    try:
        names = [os.path.join(work, "out%04d" % i) for i in range(folders)]
        for number in range(folders * each):
            copy(patterns[number % len(patterns)], os.path.join(names[number // each], "findings"), number)
        if os.path.exists("/proc/cpuinfo"):
            with open("/proc/cpuinfo") as file:
                model = [line.split(":")[1].strip() for line in file if line.startswith("model name")]
            print("machine: %d x %s" % (len(model), model[0] if model else "?"))
        print("command: threadbare findings merge OUT... --into ALL, %d folders of %d findings" % (folders, each))
        merged = [merge(program, order, os.path.join(work, "all%d" % i))
                  for i, order in enumerate([names, names[::-1]])]
        print("memory: %d MB at most" % (resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024))
        if merged[0] != merged[1] or len(merged[0]) != folders * each:
            sys.exit("FAILED: %d and %d findings of %d" % (len(merged[0]), len(merged[1]), folders * each))
        print("ok: %d findings, each once, in both orders" % len(merged[0]))
    finally:
        shutil.rmtree(work)


def copy(pattern, into, number):
    """One finding as another of its kind: of a subject of its own."""
    with open(os.path.join(pattern, "finding.json")) as file:
        finding = json.load(file)
    subject = "%s.%d" % (finding["subject"], number)
    finding["id"] = subject + finding["id"][len(finding["subject"]):]
    finding["subject"] = subject
    folder = os.path.join(into, finding["id"])
    shutil.copytree(pattern, folder)
    with open(os.path.join(folder, "finding.json"), "w") as file:
        json.dump(finding, file)


def merge(program, names, into):
    """The names of what merging these folders gives."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run([program, "findings", "merge"] + names + ["--into", into], stdout=subprocess.DEVNULL, check=True)
    after, took = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic() - begun
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print("%.1f s, %.1f s of processor time" % (took, spent))
    return sorted(os.listdir(os.path.join(into, "findings")))


main()

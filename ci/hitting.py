# hitting.py OUT: folders of the findings of a hunt that are reproduced. Fails where a repro.py lies beside one that is
# not: its script never hit, or has more than four operations.
import json
import os
import sys

findings = os.path.join(sys.argv[1], "findings")
for name in sorted(os.listdir(findings)):
    folder = os.path.join(findings, name)
    if not os.path.isfile(os.path.join(folder, "finding.json")):
        continue
    with open(os.path.join(folder, "finding.json")) as text:
        finding = json.load(text)
    hits = finding["script"] and finding["script"]["hits"]
    small = sum([len(thread) for thread in finding["scenario"]["threads"]]) <= 4
    if os.path.exists(os.path.join(folder, "repro.py")) != bool(hits and small):
        sys.exit("%s: its script hit: %s, is small: %s, and its name says otherwise" % (folder, bool(hits), small))
    if hits and small:
        print(folder)

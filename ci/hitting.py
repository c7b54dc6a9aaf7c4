# hitting.py OUT: folders of the findings of a hunt whose script hit while hunting.
import json
import os
import sys

findings = os.path.join(sys.argv[1], "findings")
for name in sorted(os.listdir(findings)):
    file = os.path.join(findings, name, "finding.json")
    if os.path.isfile(file):
        with open(file) as text:
            script = json.load(text)["script"]
        if script and script["hits"]:
            print(os.path.join(findings, name))

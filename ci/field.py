# field.py FILE EVENT KEY: the value of a key in the first event of that name in a file of JSON lines.
# Plain values only; nothing and exit code 1 when there is no such event.
import json
import sys

with open(sys.argv[1]) as lines:
    for line in lines:
        event = json.loads(line)
        if event["event"] == sys.argv[2]:
            print(event[sys.argv[3]])
            break
    else:
        sys.exit(1)

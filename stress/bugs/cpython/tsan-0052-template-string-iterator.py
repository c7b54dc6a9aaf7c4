# devdanzin/cpython-tsan-findings#TSAN-0052: two next() on one t-string iterator
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
if sys.version_info < (3, 14):
    skip("this VM has no template strings")
template = eval("t'" + "".join("a%d{%d}" % (i, i) for i in range(300)) + "'")
wanted = sorted(map(str, template))
if FAULT == "lost":
    wanted.pop()


def turn():
    items, seen = iter(template), []

    def drain():
        seen.extend([str(item) for item in items])

    run(drain, drain)
    if sorted(seen) != wanted:
        hit("%d items of %d, %d different" % (len(seen), len(wanted), len(set(seen))))


rounds(turn)

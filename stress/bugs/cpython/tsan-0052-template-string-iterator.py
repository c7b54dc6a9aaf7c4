# devdanzin/cpython-tsan-findings#TSAN-0052: two next() on one t-string iterator
import sys, threading, time

if sys.version_info < (3, 14):
    print("skip: this VM has no template strings")
    sys.exit(77)
end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
template = eval("t'" + "".join("a%d{%d}" % (i, i) for i in range(300)) + "'")
while time.monotonic() < end:
    items, seen = iter(template), []

    def drain():
        seen.extend([str(item) for item in items])

    threads = [threading.Thread(target=drain) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if sorted(seen) != sorted(str(item) for item in template):
        print("hit: items lost or repeated")
        sys.exit(1)

# python/cpython#133136: a dict of bounded size under a lock keeps growing in memory
import resource, sys, threading, time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
table, lock, grown = {}, threading.Lock(), []


def store():
    k = 0
    while time.monotonic() < end and not grown:
        for _ in range(1000):
            k += 1
            with lock:
                table[k] = k
                if len(table) > 2000:
                    table.popitem()


threads = [threading.Thread(target=store) for _ in range(4)]
for thread in threads:
    thread.start()
time.sleep(1)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
while time.monotonic() < end and not grown:
    time.sleep(0.2)
    now = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if now > before + 200_000:
        grown.append((now - before) // 1024)
for thread in threads:
    thread.join()
if grown:
    print("hit: %d MiB more for a dict of 2000 items" % grown[0])
    sys.exit(1)

# python/cpython#130794: memory queued for safe reclamation by short threads is never freed
# after a shared list is resized
import resource, sys, threading, time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
shared = list(range(256))


def double():
    global shared
    shared *= 2


def turn():
    global shared
    threads = [threading.Thread(target=double) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    shared = list(range(256))


for _ in range(20):
    turn()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
while time.monotonic() < end:
    turn()
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    if grown > 400_000:
        print("hit: %d MiB more than after 20 turns of the same work" % (grown // 1024))
        sys.exit(1)

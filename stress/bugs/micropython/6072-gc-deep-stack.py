# micropython/micropython#6072: the collector scans a thread's deep stack while it recurses
import sys, time, _thread

end = time.time() + (int(float(sys.argv[1])) if len(sys.argv) > 1 else 10)
wrong, left = [], _thread.allocate_lock()
running = [0]
import gc


def deep(n):
    local = [n]
    return deep(n - 1) + local[0] if n else 0


def repeat(body):
    try:
        while time.time() < end and not wrong:
            body()
    finally:
        with left:
            running[0] -= 1


def recurse():
    for _ in range(100):
        if deep(20) != 210:
            wrong.append("a live object was overwritten")


def collect():
    for _ in range(100):
        gc.collect()


for body in (recurse, recurse, collect):
    running[0] += 1
    _thread.start_new_thread(repeat, (body,))
while running[0]:
    time.sleep(0.05)
if wrong:
    print("hit:", wrong[0])
    sys.exit(1)

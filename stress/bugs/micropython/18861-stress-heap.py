# micropython/micropython#18861: threads allocate, build and drop trees while the collector
# scans their stacks
import sys, time, _thread

end = time.time() + (int(float(sys.argv[1])) if len(sys.argv) > 1 else 10)
wrong, left = [], _thread.allocate_lock()
running = [0]
def build(n):
    return [build(n - 1), n] if n else ["leaf"]


def depth(tree):
    return 1 + depth(tree[0]) if len(tree) == 2 else 1


def repeat(body):
    try:
        while time.time() < end and not wrong:
            body()
    finally:
        with left:
            running[0] -= 1


def allocate():
    for _ in range(100):
        if depth(build(12)) != 13:
            wrong.append("a live object was freed")


for body in (allocate, allocate, allocate):
    running[0] += 1
    _thread.start_new_thread(repeat, (body,))
while running[0]:
    time.sleep(0.05)
if wrong:
    print("hit:", wrong[0])
    sys.exit(1)

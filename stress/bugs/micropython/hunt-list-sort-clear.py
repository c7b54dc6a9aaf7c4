# threadbare/hunt#micropython-list-sort-clear: list.sort() walks items while clear() gives their
# memory back
import sys, time, _thread

end = time.time() + (int(float(sys.argv[1])) if len(sys.argv) > 1 else 10)
wrong, left = [], _thread.allocate_lock()
running = [0]
shared = [8, 3, 5, 1]


def repeat(body):
    try:
        while time.time() < end and not wrong:
            body()
    finally:
        with left:
            running[0] -= 1


def sort():
    for _ in range(100):
        shared.sort()


def clear():
    for _ in range(100):
        shared.clear()
        shared.extend([8, 3, 5, 1])


for body in (sort, clear):
    running[0] += 1
    _thread.start_new_thread(repeat, (body,))
while running[0]:
    time.sleep(0.05)
if wrong:
    print("hit:", wrong[0])
    sys.exit(1)

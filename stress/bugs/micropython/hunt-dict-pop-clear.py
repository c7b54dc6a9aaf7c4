# threadbare/hunt#micropython-dict-pop-clear: dict.clear() sets the size of the table to zero
# between the check and the division in pop()
import sys, time, _thread

end = time.time() + (int(float(sys.argv[1])) if len(sys.argv) > 1 else 10)
wrong, left = [], _thread.allocate_lock()
running = [0]
holder = [{}]


def repeat(body):
    try:
        while time.time() < end and not wrong:
            body()
    finally:
        with left:
            running[0] -= 1


def look():
    for _ in range(100):
        holder[0].pop(7, None)


def clear():
    for _ in range(100):
        table = holder[0] = {1: 1}
        table.clear()


for body in (look, clear):
    running[0] += 1
    _thread.start_new_thread(repeat, (body,))
while running[0]:
    time.sleep(0.05)
if wrong:
    print("hit:", wrong[0])
    sys.exit(1)

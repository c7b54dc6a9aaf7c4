# threadbare/hunt#micropython-dict-popitem-update: dict.popitem() takes the last slot of a table
# that update() is replacing
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


def pop():
    for _ in range(100):
        try:
            for _ in range(30):
                holder[0].popitem()
        except KeyError:
            pass


def update():
    for _ in range(100):
        holder[0] = dict.fromkeys(range(20))
        holder[0].update(dict.fromkeys(range(60)))


for body in (pop, update):
    running[0] += 1
    _thread.start_new_thread(repeat, (body,))
while running[0]:
    time.sleep(0.05)
if wrong:
    print("hit:", wrong[0])
    sys.exit(1)

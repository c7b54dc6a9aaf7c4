# threadbare/hunt#micropython-poll-register-modify: poll.register() grows the map that modify()
# looks an object up in
import sys, time, _thread
import select

end = time.time() + (int(float(sys.argv[1])) if len(sys.argv) > 1 else 10)
wrong, left = [], _thread.allocate_lock()
running = [0]
holder = [select.poll()]


def repeat(body):
    try:
        while time.time() < end and not wrong:
            body()
    finally:
        with left:
            running[0] -= 1


def register():
    for _ in range(100):
        poll = holder[0] = select.poll()
        for fd in range(1001, 1030):
            poll.register(fd, 1)


def modify():
    for _ in range(100):
        for fd in range(1001, 1030):
            try:
                holder[0].modify(fd, 4)
            except OSError:
                pass


for body in (register, modify):
    running[0] += 1
    _thread.start_new_thread(repeat, (body,))
while running[0]:
    time.sleep(0.05)
if wrong:
    print("hit:", wrong[0])
    sys.exit(1)

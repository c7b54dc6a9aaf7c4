# threadbare/hunt#micropython-generator-next: next() of one generator in two threads: the frame
# runs twice
import sys, time, _thread

end = time.time() + (int(float(sys.argv[1])) if len(sys.argv) > 1 else 10)
wrong, left = [], _thread.allocate_lock()
running = [0]
def count(n):
    for i in range(n):
        yield [i]


holder = [count(2)]


def repeat(body):
    try:
        while time.time() < end and not wrong:
            body()
    finally:
        with left:
            running[0] -= 1


def drain():
    for _ in range(100):
        it = holder[0] = count(2)
        for _ in it:
            pass


def step():
    for _ in range(100):
        try:
            next(holder[0], None)
        except ValueError:
            pass


for body in (drain, step):
    running[0] += 1
    _thread.start_new_thread(repeat, (body,))
while running[0]:
    time.sleep(0.05)
if wrong:
    print("hit:", wrong[0])
    sys.exit(1)

# micropython/micropython#10690: new globals are stored while another thread reads globals
import sys, time, _thread

end = time.time() + (int(float(sys.argv[1])) if len(sys.argv) > 1 else 10)
wrong, left = [], _thread.allocate_lock()
running = [0]
first = 1
space = globals()


def repeat(body):
    try:
        while time.time() < end and not wrong:
            body()
    finally:
        with left:
            running[0] -= 1


def store():
    for _ in range(100):
        for i in range(20):
            space["g%d" % i] = i
        for i in range(20):
            del space["g%d" % i]


def read():
    for _ in range(100):
        try:
            first
        except NameError:
            wrong.append("a global that exists was not found")


for body in (store, read):
    running[0] += 1
    _thread.start_new_thread(repeat, (body,))
while running[0]:
    time.sleep(0.05)
if wrong:
    print("hit:", wrong[0])
    sys.exit(1)

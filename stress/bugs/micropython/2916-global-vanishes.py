# micropython/micropython#2916: a global counter is stored in one thread while others are read
import sys, time, _thread

end = time.time() + (int(float(sys.argv[1])) if len(sys.argv) > 1 else 10)
wrong, left = [], _thread.allocate_lock()
running = [0]
number = 0
fixed = 1


def repeat(body):
    try:
        while time.time() < end and not wrong:
            body()
    finally:
        with left:
            running[0] -= 1


def count():
    for _ in range(100):
        global number
        number = (number + 1) % 100


def read():
    for _ in range(100):
        try:
            fixed
            number
        except NameError:
            wrong.append("a global that exists was not found")


for body in (count, read):
    running[0] += 1
    _thread.start_new_thread(repeat, (body,))
while running[0]:
    time.sleep(0.05)
if wrong:
    print("hit:", wrong[0])
    sys.exit(1)

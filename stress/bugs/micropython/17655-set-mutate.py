# micropython/micropython#17655: add and remove of one set from two threads
import sys, time, _thread

end = time.time() + (int(float(sys.argv[1])) if len(sys.argv) > 1 else 10)
wrong, left = [], _thread.allocate_lock()
running = [0]
shared = {1, 2}


def repeat(body):
    try:
        while time.time() < end and not wrong:
            body()
    finally:
        with left:
            running[0] -= 1


def add():
    for _ in range(100):
        for i in range(20):
            shared.add(i)


def drop():
    for _ in range(100):
        for i in range(20):
            shared.discard(i)


for body in (add, add, drop):
    running[0] += 1
    _thread.start_new_thread(repeat, (body,))
while running[0]:
    time.sleep(0.05)
if wrong:
    print("hit:", wrong[0])
    sys.exit(1)

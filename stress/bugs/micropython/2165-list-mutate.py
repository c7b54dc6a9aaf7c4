# micropython/micropython#2165: append, pop and index of one list from two threads
import sys, time, _thread

end = time.time() + (int(float(sys.argv[1])) if len(sys.argv) > 1 else 10)
wrong, left = [], _thread.allocate_lock()
running = [0]
shared = [1, 2, 3]


def repeat(body):
    try:
        while time.time() < end and not wrong:
            body()
    finally:
        with left:
            running[0] -= 1


def grow():
    for _ in range(100):
        shared.append([1])
        if len(shared) > 50:
            del shared[3:]


def shrink():
    for _ in range(100):
        try:
            shared.pop()
        except IndexError:
            shared.append(2)


for body in (grow, grow, shrink):
    running[0] += 1
    _thread.start_new_thread(repeat, (body,))
while running[0]:
    time.sleep(0.05)
if wrong:
    print("hit:", wrong[0])
    sys.exit(1)

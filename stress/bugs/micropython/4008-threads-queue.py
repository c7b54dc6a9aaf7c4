# micropython/micropython#4008: objects with attributes go through a shared list under a lock
import sys, time, _thread

end = time.time() + (int(float(sys.argv[1])) if len(sys.argv) > 1 else 10)
wrong, left = [], _thread.allocate_lock()
running = [0]
class Item:
    def __init__(self, n):
        self.n = n


queue, lock = [], _thread.allocate_lock()


def repeat(body):
    try:
        while time.time() < end and not wrong:
            body()
    finally:
        with left:
            running[0] -= 1


def put():
    for _ in range(100):
        with lock:
            queue.append(Item(7))
            if len(queue) > 100:
                del queue[:]


def get():
    for _ in range(100):
        with lock:
            item = queue.pop() if queue else None
        if item is not None and item.n != 7:
            wrong.append("an attribute of another object")


for body in (put, put, get, get):
    running[0] += 1
    _thread.start_new_thread(repeat, (body,))
while running[0]:
    time.sleep(0.05)
if wrong:
    print("hit:", wrong[0])
    sys.exit(1)

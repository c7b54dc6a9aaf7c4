# micropython/micropython#3045: release() of a lock that is free, then acquire()
import sys, time, _thread

end = time.time() + (int(float(sys.argv[1])) if len(sys.argv) > 1 else 10)
wrong, left = [], _thread.allocate_lock()
running = [0]
lock = _thread.allocate_lock()


def repeat(body):
    try:
        while time.time() < end and not wrong:
            body()
    finally:
        with left:
            running[0] -= 1


def misuse():
    for _ in range(100):
        try:
            lock.release()
            wrong.append("a free lock was released")
        except RuntimeError:
            pass
        mine = _thread.allocate_lock()
        mine.acquire()
        mine.release()


for body in (misuse,):
    running[0] += 1
    _thread.start_new_thread(repeat, (body,))
while running[0]:
    time.sleep(0.05)
if wrong:
    print("hit:", wrong[0])
    sys.exit(1)

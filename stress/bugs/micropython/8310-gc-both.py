# micropython/micropython#8310: both threads call gc.collect() and allocate
import sys, time, _thread

end = time.time() + (int(float(sys.argv[1])) if len(sys.argv) > 1 else 10)
wrong, left = [], _thread.allocate_lock()
running = [0]
import gc


def repeat(body):
    try:
        while time.time() < end and not wrong:
            body()
    finally:
        with left:
            running[0] -= 1


def both():
    for _ in range(100):
        sentinel = [str(i) for i in range(10)]
        gc.collect()
        if sentinel != [str(i) for i in range(10)]:
            wrong.append("a live list was overwritten")


for body in (both, both):
    running[0] += 1
    _thread.start_new_thread(repeat, (body,))
while running[0]:
    time.sleep(0.05)
if wrong:
    print("hit:", wrong[0])
    sys.exit(1)

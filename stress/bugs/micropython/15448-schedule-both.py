# micropython/micropython#15448: micropython.schedule() from two threads: each call once, never
# two at a time
import sys, time, _thread

end = time.time() + (int(float(sys.argv[1])) if len(sys.argv) > 1 else 10)
wrong, left = [], _thread.allocate_lock()
running = [0]
import micropython

done, inside = [0], [0]


def call(n):
    inside[0] += 1
    if inside[0] != 1:
        wrong.append("two scheduled calls at a time")
    for _ in range(20):
        pass
    inside[0] -= 1


def repeat(body):
    try:
        while time.time() < end and not wrong:
            body()
    finally:
        with left:
            running[0] -= 1


def schedule():
    for _ in range(100):
        try:
            micropython.schedule(call, 1)
        except RuntimeError:
            pass


for body in (schedule, schedule):
    running[0] += 1
    _thread.start_new_thread(repeat, (body,))
while running[0]:
    time.sleep(0.05)
if wrong:
    print("hit:", wrong[0])
    sys.exit(1)

# micropython/micropython#7124: the collector scans another thread's stack with a wrong range:
# live objects are freed
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


def make():
    for _ in range(100):
        text = "".join([str(i) for i in range(30)])
        if text != "01234567891011121314151617181920212223242526272829":
            wrong.append("a live string was overwritten")


def collect():
    for _ in range(100):
        gc.collect()


for body in (make, make, collect):
    running[0] += 1
    _thread.start_new_thread(repeat, (body,))
while running[0]:
    time.sleep(0.05)
if wrong:
    print("hit:", wrong[0])
    sys.exit(1)

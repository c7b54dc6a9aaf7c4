# micropython/micropython#4054: the collector waits for signals of threads that start and end
import sys, time, _thread

end = time.time() + (int(float(sys.argv[1])) if len(sys.argv) > 1 else 10)
wrong, left = [], _thread.allocate_lock()
running = [0]
import gc


def short():
    [i for i in range(10)]


def repeat(body):
    try:
        while time.time() < end and not wrong:
            body()
    finally:
        with left:
            running[0] -= 1


def start():
    for _ in range(100):
        try:
            _thread.start_new_thread(short, ())
        except OSError:
            time.sleep(0.001)


def collect():
    for _ in range(100):
        gc.collect()


for body in (start, collect):
    running[0] += 1
    _thread.start_new_thread(repeat, (body,))
while running[0]:
    time.sleep(0.05)
if wrong:
    print("hit:", wrong[0])
    sys.exit(1)

# micropython/micropython#15456: extension of one bytearray by two threads
import sys, time, _thread

end = time.time() + (int(float(sys.argv[1])) if len(sys.argv) > 1 else 10)
wrong, left = [], _thread.allocate_lock()
running = [0]
shared = bytearray(b"a")
holder = [shared]


def repeat(body):
    try:
        while time.time() < end and not wrong:
            body()
    finally:
        with left:
            running[0] -= 1


def extend():
    for _ in range(100):
        holder[0].extend(b"xyz" * 20)
        if len(holder[0]) > 2000:
            holder[0] = bytearray(b"a")


def read():
    for _ in range(100):
        bytes(holder[0])


for body in (extend, extend, read):
    running[0] += 1
    _thread.start_new_thread(repeat, (body,))
while running[0]:
    time.sleep(0.05)
if wrong:
    print("hit:", wrong[0])
    sys.exit(1)

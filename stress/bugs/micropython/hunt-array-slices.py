# threadbare/hunt#micropython-array-slices: two slice assignments that shrink one array: the
# length of the part that moves goes below zero
import sys, time, _thread
import array

end = time.time() + (int(float(sys.argv[1])) if len(sys.argv) > 1 else 10)
wrong, left = [], _thread.allocate_lock()
running = [0]
empty = array.array("h")
holder = [array.array("h", [1, 2, 3, 4])]


def repeat(body):
    try:
        while time.time() < end and not wrong:
            body()
    finally:
        with left:
            running[0] -= 1


def cut():
    for _ in range(100):
        holder[0][1:2] = empty


def shrink():
    for _ in range(100):
        it = holder[0] = array.array("h", [1, 2, 3, 4])
        it[:] = empty


for body in (cut, shrink):
    running[0] += 1
    _thread.start_new_thread(repeat, (body,))
while running[0]:
    time.sleep(0.05)
if wrong:
    print("hit:", wrong[0])
    sys.exit(1)

# micropython/micropython#7856: a module is imported from a file and its dict walked in two
# threads
import sys, time, _thread

end = time.time() + (int(float(sys.argv[1])) if len(sys.argv) > 1 else 10)
wrong, left = [], _thread.allocate_lock()
running = [0]
import os

name = "mp_import_%d" % (time.time() % 1000)
sys.path.insert(0, "/tmp")
with open("/tmp/" + name + ".py", "w") as file:
    file.write("a = 1\nb = [2]\n")


def repeat(body):
    try:
        while time.time() < end and not wrong:
            body()
    finally:
        with left:
            running[0] -= 1


def load():
    for _ in range(100):
        it = __import__(name)
        for key in it.__dict__:
            str(key)
        sys.modules.pop(name, None)


for body in (load, load):
    running[0] += 1
    _thread.start_new_thread(repeat, (body,))
while running[0]:
    time.sleep(0.05)
os.remove("/tmp/" + name + ".py")
if wrong:
    print("hit:", wrong[0])
    sys.exit(1)

# threadbare/hunt#micropython-poll-register-modify: poll.register() grows the map that modify()
# looks an object up in
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import select

holder = [select.poll()]


def register():
    for _ in range(100):
        poll = holder[0] = select.poll()
        for fd in range(1001, 1030):
            poll.register(fd, 1)


def modify():
    for _ in range(100):
        for fd in range(1001, 1030):
            try:
                holder[0].modify(fd, 4)
            except OSError:
                pass


again(register, modify)

# python/cpython#128656: all_tasks() while a task ends in its own thread
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import asyncio
import threading


loops = []


async def nothing():
    pass


async def main():
    loops[:] = [asyncio.get_running_loop()]
    while going():
        await asyncio.create_task(nothing())


threading.Thread(target=lambda: asyncio.run(main())).start()
while not loops:
    pass


def look():
    for _ in range(20):
        asyncio.all_tasks(loops[0])


again(look, look)

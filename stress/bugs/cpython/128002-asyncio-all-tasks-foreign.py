# python/cpython#128002: all_tasks() of the loop of another thread, and methods of its tasks
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import asyncio
import threading


loops = []


async def nap():
    await asyncio.sleep(0)


async def main():
    loops[:] = [asyncio.get_running_loop()]
    while going():
        await asyncio.gather(*[asyncio.create_task(nap()) for _ in range(50)])


threading.Thread(target=lambda: asyncio.run(main())).start()
while not loops:
    pass


all_tasks = raises(SystemError("planted")) if FAULT == "raise" else asyncio.all_tasks


def look():
    try:
        for _ in range(5):
            for task in all_tasks(loops[0]):
                task.get_coro()
                task.done()
                repr(task)
    except SystemError as e:
        hit(repr(e))


again(look, look)

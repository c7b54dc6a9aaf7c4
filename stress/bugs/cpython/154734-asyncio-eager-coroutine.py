# python/cpython#154734: an eager start clears the coroutine outside the lock that get_coro()
# takes
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import asyncio
import threading


need(asyncio, "eager_task_factory")
loops = []


async def nap():
    await asyncio.sleep(0)


async def main():
    loop = asyncio.get_running_loop()
    loop.set_task_factory(asyncio.eager_task_factory)
    loops[:] = [loop]
    while going():
        await asyncio.gather(*[loop.create_task(nap()) for _ in range(50)])


threading.Thread(target=lambda: asyncio.run(main())).start()
while not loops:
    pass


def look():
    for _ in range(5):
        for task in asyncio.all_tasks(loops[0]):
            task.get_coro()


again(look, look)

# python/cpython#152020: all_tasks(loop) from another thread misses tasks that were started
# eagerly
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import asyncio

need(asyncio, "eager_task_factory")


async def wait(event):
    await event.wait()


async def main():
    loop = asyncio.get_running_loop()
    loop.set_task_factory(asyncio.eager_task_factory)
    event = asyncio.Event()
    if FAULT == "finished":
        event.set()
    task = loop.create_task(wait(event))

    def look():
        if task not in asyncio.all_tasks(loop):
            hit("a waiting task is not in all_tasks()")

    run(look)
    event.set()
    await task


asyncio.run(main())

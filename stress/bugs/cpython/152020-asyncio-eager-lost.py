# python/cpython#152020: all_tasks(loop) from another thread misses tasks that were started
# eagerly
import asyncio, sys, threading

seen = []


async def wait(event):
    await event.wait()


async def main():
    loop = asyncio.get_running_loop()
    loop.set_task_factory(asyncio.eager_task_factory)
    event = asyncio.Event()
    task = loop.create_task(wait(event))
    thread = threading.Thread(target=lambda: seen.append(task in asyncio.all_tasks(loop)))
    thread.start()
    thread.join()
    event.set()
    await task


asyncio.run(main())
if seen != [True]:
    print("hit: a waiting task is not in all_tasks()")
    sys.exit(1)

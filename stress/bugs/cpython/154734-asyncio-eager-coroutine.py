# python/cpython#154734: an eager start clears the coroutine outside the lock that get_coro()
# takes
import asyncio
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
loops = []


async def nap():
    await asyncio.sleep(0)


async def main():
    loop = asyncio.get_running_loop()
    loop.set_task_factory(asyncio.eager_task_factory)
    loops[:] = [loop]
    while time.monotonic() < end:
        await asyncio.gather(*[loop.create_task(nap()) for _ in range(50)])


threading.Thread(target=lambda: asyncio.run(main())).start()
while not loops:
    pass


def look():
    while time.monotonic() < end:
        try:
            for _ in range(5):
                for task in asyncio.all_tasks(loops[0]):
                    task.get_coro()
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (look, look)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()

# python/cpython#128002: all_tasks() of the loop of another thread, and methods of its tasks
import asyncio
import os
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
loops = []


async def nap():
    await asyncio.sleep(0)


async def main():
    loops[:] = [asyncio.get_running_loop()]
    while time.monotonic() < end:
        await asyncio.gather(*[asyncio.create_task(nap()) for _ in range(50)])


threading.Thread(target=lambda: asyncio.run(main())).start()
while not loops:
    pass


def hit(what):
    print("hit:", what, flush=True)
    os._exit(1)


def look():
    while time.monotonic() < end:
        try:
            for _ in range(5):
                for task in asyncio.all_tasks(loops[0]):
                    task.get_coro()
                    task.done()
                    repr(task)
        except SystemError as e:
            hit(repr(e))
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (look, look)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()

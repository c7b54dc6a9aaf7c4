# python/cpython#128656: all_tasks() while a task ends in its own thread
import asyncio
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
loops = []


async def nothing():
    pass


async def main():
    loops[:] = [asyncio.get_running_loop()]
    while time.monotonic() < end:
        await asyncio.create_task(nothing())


threading.Thread(target=lambda: asyncio.run(main())).start()
while not loops:
    pass


def look():
    while time.monotonic() < end:
        try:
            for _ in range(20):
                asyncio.all_tasks(loops[0])
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (look, look)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()

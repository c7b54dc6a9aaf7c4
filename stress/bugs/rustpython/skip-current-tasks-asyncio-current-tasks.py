# RustPython/RustPython#skip-current-tasks: a loop registers its current task while another
# thread lists the tasks
import asyncio
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
        await asyncio.gather(*[asyncio.create_task(nap()) for _ in range(10)])


threading.Thread(target=lambda: asyncio.run(main())).start()
while not loops:
    pass


def look():
    while time.monotonic() < end:
        try:
            for _ in range(2):
                asyncio.all_tasks(loops[0])
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (look,)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()

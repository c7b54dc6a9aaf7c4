# python/cpython#120974: current_task and all_tasks of several loops share one list and dict
# with borrowed entries
import asyncio
import os
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
async def nap():
    await asyncio.sleep(0)


async def main():
    tasks = [asyncio.create_task(nap()) for _ in range(20)]
    asyncio.all_tasks()
    asyncio.current_task()
    await asyncio.gather(*tasks)


def hit(what):
    print("hit:", what, flush=True)
    os._exit(1)


def loop():
    while time.monotonic() < end:
        try:
            asyncio.run(main())
        except (SystemError, KeyError) as e:
            hit(repr(e))
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (loop, loop, loop, loop)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()

# python/cpython#120974: current_task and all_tasks of several loops share one list and dict
# with borrowed entries
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import asyncio


async def nap():
    await asyncio.sleep(0)


all_tasks = raises(KeyError("planted")) if FAULT == "raise" else asyncio.all_tasks


async def main():
    tasks = [asyncio.create_task(nap()) for _ in range(20)]
    all_tasks()
    asyncio.current_task()
    await asyncio.gather(*tasks)


def loop():
    try:
        asyncio.run(main())
    except (SystemError, KeyError) as e:
        hit(repr(e))


again(loop, loop, loop, loop)

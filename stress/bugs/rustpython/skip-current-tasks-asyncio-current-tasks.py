# RustPython/RustPython#skip-current-tasks: a loop registers its current task while another
# thread lists the tasks
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import asyncio
import threading

loops = []
current_task = raises(KeyError("planted")) if FAULT == "raise" else asyncio.current_task


async def nap():
    await asyncio.sleep(0)


async def main():
    loops[:] = [asyncio.get_running_loop()]
    while going():
        await asyncio.gather(*[asyncio.create_task(nap()) for _ in range(10)])


def loop():
    try:
        asyncio.run(main())
    except Exception as e:
        hit("a loop got %r" % e)


def look():
    for _ in range(2):
        try:
            asyncio.all_tasks(loops[0])
            current_task(loops[0])
        except Exception as e:
            hit("listing the tasks raised %r" % e)


threading.Thread(target=loop).start()
while not loops:
    pass
again(look)

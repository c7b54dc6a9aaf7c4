"""Beside `l.pop(); l.append(5)` a thread reads l[1] twice and gets 5, then an IndexError, though the list is never
shorter after 5 is in it: a read looks at the size once, before the slot (models/reports/README.md)."""

import _thread

from kit import *

items = [0, 7]
# The first read by another thread than the list's is under its lock, and marks it as shared.
_thread.start_joinable_thread(lambda: items[0]).join()


def writer():
    items.pop()
    items.append(5)


def reader():
    try:
        if items[1] != 5:
            return
    except IndexError:
        return
    try:
        items[1]
    except IndexError:
        hit("R8: 5, then an IndexError")


again(writer, reader)

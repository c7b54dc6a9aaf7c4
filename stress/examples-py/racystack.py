"""A stack with a deliberate race, and its locked twin.

`RacyStack.pop` checks, then acts: between the two another thread may take the last item,
or both may take the same one. `LockedStack` does the same under a lock.

    threadbare hunt --vm python3.13t --subject racystack:RacyStack     (started in this folder)
"""

import threading


class RacyStack(object):
    """`items[top - 1]` is the last item; every method reads `top`, works, and writes it back."""

    def __init__(self, items=()):
        self.items = list(items)
        self.top = len(self.items)

    def push(self, item):
        top = self.top
        self.items[top:] = [item]
        self.top = top + 1

    def pop(self):
        if self.top == 0:
            return None
        top = self.top - 1
        item = self.items[top]
        del self.items[top:]
        self.top = top
        return item

    def __len__(self):
        return self.top


class LockedStack(object):
    """The same, each method under the instance's lock."""

    def __init__(self, items=()):
        self.lock = threading.Lock()
        self.items = list(items)
        self.top = len(self.items)

    def push(self, item):
        with self.lock:
            top = self.top
            self.items[top:] = [item]
            self.top = top + 1

    def pop(self):
        with self.lock:
            if self.top == 0:
                return None
            top = self.top - 1
            item = self.items[top]
            del self.items[top:]
            self.top = top
            return item

    def __len__(self):
        with self.lock:
            return self.top

"""A subject as one Python file: `threadbare hunt --vm python3.13t --subject counter_file.py`.

Only `make` is needed. The text of the file goes into each reproducer, which so needs
nothing but the VM.
"""


class Counter(object):
    def __init__(self):
        self.n = 0

    def add(self, n):
        before = self.n
        self.n = before + n
        return before


def make():
    """A fresh object to share between threads."""
    return Counter()


# What threads do with it; without this list the operations are found by trying.
operations = ["o.add({n})", "o.n"]


def final(o):
    """What is observed when all threads are done."""
    return o.n

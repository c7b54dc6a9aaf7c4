"""Two threads, two operations each, on one dict of their own in each window."""

from kit import batch, outcome


def make():
    return {"a": 10**6, "b": 10**7}


def write(items):
    items["c"] = 10**8
    items["a"] = 5


def take(items):
    return items.pop("b"), len(items)


for items, results in batch(make, write, take):
    outcome(repr((items, results)))

"""Two threads, two operations each, on one list of their own in each window."""

from kit import batch, outcome


def make():
    return [10**6, 10**7, 10**8]


def add(items):
    items.append(10**9)
    items[0] = 5


def take(items):
    return items.pop(), len(items)


for items, results in batch(make, add, take):
    outcome(repr((items, results)))

"""Beside an insertion that makes an instance's dict one with a table of its own, iteration gives the key of one entry
with the value of another, or dies of values that are gone: it loads table and values as two facts, and takes the
values' word for the table's kind (models/reports/README.md)."""

from kit import *


class Instance:
    def __init__(self):
        self.a = "a"
        self.b = "b"
        self.c = "c"


# The keys that the class shares are complete before the dict is made.
Instance()
one = Instance()
dictionary = one.__dict__


def writer():
    dictionary[1] = 1


def reader():
    try:
        for key, value in dictionary.items():
            if key != value:
                hit("R6: the key %r with the value %r" % (key, value))
    except RuntimeError:
        pass


again(writer, reader)

"""Beside `o.__dict__ = {"x": 2}` a read of o.x says that there is none: it believes an empty slot of values that are
no longer the instance's (models/reports/README.md)."""

from kit import *


class Instance:
    def __init__(self):
        self.x = 1


one = Instance()


def writer():
    one.__dict__ = {"x": 2}


def reader():
    try:
        one.x
    except AttributeError:
        hit("R4: no attribute x, which was always there")


again(writer, reader)

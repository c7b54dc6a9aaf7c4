# Values of a scenario, and exceptions as results. Jobs (harness.py) and scripts both begin with this file.
import gc
import sys
import time

# Exceptions that a Python operation never has a right to raise here: they name the VM's inside, or a
# Rust extension's.
INTERNAL = ("SystemError", "MemoryError", "InternalError", "UnicodeDecodeError", "RecursionError", "PanicException")
# On the shared slot nothing is compared, so that these are all that is looked at.
ALARM = INTERNAL + ("AssertionError",)


class Tok(object):
    """An element with identity; rendered by its number. Without a `__repr__` of its own: it would be
    Python code in the middle of every `repr` of a container, where also a VM with a GIL switches."""

    def __init__(self, n):
        self.n = n


_NAMES = []


def tidy(text):
    """Text with the addresses of tokens replaced by their numbers, of passing ones by `t?`."""
    mark = "Tok object at "
    if mark in text:
        for address, name in _NAMES:
            text = text.replace(address, name)
        while mark in text:
            i = text.index(mark)
            text = text[:max(text.rfind("<", 0, i), 0)] + "t?" + text[text.find(">", i) + 1 or len(text):]
    return text


def _unaddressed(text):
    """Text without the addresses of other objects, which no two runs share."""
    at = text.find(" at 0x")
    while at >= 0:
        end = at + 6
        while end < len(text) and text[end] in "0123456789abcdefABCDEF":
            end += 1
        text = text[:at] + " at ?" + text[end:]
        at = text.find(" at 0x")
    return text


def make_tokens():
    """The long-lived elements of a scenario; their addresses are known from now on."""
    made = [Tok(i) for i in range(8)]
    _NAMES[:] = [(repr(t), "t%d" % t.n) for t in made]
    return made


class Exc(object):
    """An exception as an outcome: hashable, and free of frames."""

    def __init__(self, text):
        self.text = text

    def __eq__(self, other):
        return type(other) is Exc and other.text == self.text

    def __ne__(self, other):
        return not self == other

    def __hash__(self):
        return hash(self.text)


def X(e):
    name = type(e).__name__
    try:
        text = _unaddressed(tidy(str(e)))[:160]
    except BaseException:
        text = "?"
    return Exc(name + ": " + text if text else name)

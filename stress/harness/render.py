_PLAIN = (type(None), bool, int, float, str, bytes)
_MOST_ITEMS = 64


def _items(texts):
    """The texts of a container's items: those beyond the first 64 by their number and a hash."""
    if len(texts) <= _MOST_ITEMS:
        return ", ".join(texts)
    mixed = 0
    for c in ", ".join(texts[_MOST_ITEMS:]):
        mixed = (mixed * 31 + ord(c)) & 0xFFFFFFFF
    return ", ".join(texts[:_MOST_ITEMS]) + ", +%d #%x" % (len(texts) - _MOST_ITEMS, mixed)


def render(x, depth=4):
    """Structural text of an outcome: never an address, never an order that hashing chose."""
    t = type(x)
    if t in _PLAIN:
        return tidy(repr(x))
    if t is Exc:
        return "!" + x.text
    if t is Tok:
        return "t%d" % x.n
    if depth == 0:
        return "..."
    if t is tuple:
        return "(" + _items([render(y, depth - 1) for y in x]) + ")"
    if t is list:
        return "[" + _items([render(y, depth - 1) for y in list(x)]) + "]"
    if t is set or t is frozenset:
        return t.__name__ + "{" + _items(sorted([render(y, depth - 1) for y in list(x)])) + "}"
    if t is dict:
        return "{" + _pairs(x, depth) + "}"
    try:
        return _structure(x, t, depth - 1)
    except Exception:
        return "<" + t.__name__ + ">"


def _pairs(x, depth):
    return _items([render(k, depth - 1) + ": " + render(v, depth - 1) for k, v in list(x.items())])


def _structure(x, t, depth):
    """Text of what is of no built-in type itself: its name, what it holds, and its attributes."""
    name = t.__name__
    if name in ("long", "unicode", "bytearray", "complex", "range"):
        return repr(x)
    if isinstance(x, type):
        return "<class " + x.__name__ + ">"
    if name == "array":
        return "array(" + x.typecode + ", " + render(x.tolist(), depth) + ")"
    if name == "memoryview":
        return "memoryview(" + x.format + ", " + render(x.tolist(), depth) + ")"
    if name in ("module", "function", "method") or "builtin" in name:
        return "<" + name + ">"
    for base in (str, bytes, float, int):
        if isinstance(x, base):
            return "<" + name + " " + tidy(base.__repr__(x)) + _attributes(x, t, depth) + ">"
    if isinstance(x, BaseException):
        return "<" + X(x).text + _attributes(x, t, depth) + ">"
    held = ""
    if isinstance(x, dict):
        held = " {" + _pairs(x, depth) + "}"
    elif isinstance(x, (set, frozenset)):
        held = " {" + _items(sorted([render(y, depth) for y in list(x)])) + "}"
    elif isinstance(x, (list, tuple)) or name == "deque":
        held = " [" + _items([render(y, depth) for y in list(x)]) + "]"
    for extra in ("maxlen", "default_factory"):
        if getattr(t, extra, None) is not None:
            held += " " + extra + "=" + render(getattr(x, extra), depth)
    told = held + _attributes(x, t, depth)
    return "<" + name + (told or _reduced(x, t, depth)) + ">"


def _attributes(x, t, depth):
    """What an object's dictionary and slots hold."""
    names = {}
    own = getattr(x, "__dict__", None)
    if type(own) is dict:
        names.update(own)
    for cls in getattr(t, "__mro__", ()):
        slots = getattr(cls, "__dict__", {}).get("__slots__", ())
        for slot in (slots,) if type(slots) is str else slots:
            if slot[:2] != "__" and hasattr(x, slot):
                names[slot] = getattr(x, slot)
    return "".join([" " + str(n) + "=" + render(names[n], depth) for n in sorted(names, key=str)])


def _reduced(x, t, depth):
    """What `copy` would take of an object that has no attributes, such as an iterator's position."""
    if t.__module__ == "itertools" or not hasattr(x, "__reduce_ex__"):  # its objects warn as they are asked
        return ""
    parts = x.__reduce_ex__(2)
    if type(parts) is not tuple or parts[1] == (t,):
        return ""
    return " " + _items([render(part, depth) for part in parts[1:3] if part is not None])


def _is_internal(text):
    """Whether a slot's text is an exception that is looked at also where results are not compared."""
    return text[:1] == "!" and text[1:].split(":")[0] in INTERNAL


def _cell(text, free):
    """A slot's text within an outcome: one that is free matches anything but an error of the VM."""
    if free and not _is_internal(text):
        return "*"
    return text.replace(" | ", " \\| ") if " | " in text else text


def line(results, free):
    """An outcome as text."""
    return " | ".join([_cell(render(x), i in free) for i, x in enumerate(results)])

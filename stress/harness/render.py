_PLAIN = (type(None), bool, int, float, str, bytes)


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
    if t in (tuple, list):
        inner = ", ".join([render(y, depth - 1) for y in list(x)[:64]])
        return ("(" + inner + ")") if t is tuple else ("[" + inner + "]")
    if t in (set, frozenset):
        return t.__name__ + "{" + ", ".join(sorted([render(y, depth - 1) for y in list(x)[:64]])) + "}"
    if t is dict:
        return "{" + ", ".join([render(k, depth - 1) + ": " + render(v, depth - 1) for k, v in list(x.items())[:64]]) + "}"
    if t.__name__ in ("long", "unicode", "bytearray", "complex"):
        return repr(x)
    return "<" + t.__name__ + ">"


def line(results, free):
    """An outcome as text; a slot that is free matches anything."""
    return " | ".join(["*" if i in free else render(x) for i, x in enumerate(results)])

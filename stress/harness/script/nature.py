INTERNAL = ("SystemError", "MemoryError", "InternalError", "UnicodeDecodeError", "RecursionError")


def raised_by(parts):
    return [part[1:] for i, part in enumerate(parts) if part[:1] == "!" and i not in free]


def odd_number(text):
    """Whether it holds a number beyond anything that the operations can make."""
    word = ""
    for c in text + " ":
        if "0" <= c <= "9" or "a" <= c.lower() <= "z" or c in "_.":
            word += c
        elif len(word) > 6 and word.isdigit() and int(word) >= 1000000:
            return True
        else:
            word = ""
    return False


KNOWN = [[render(x) for x in results] for results in _first + _second]
KNOWN_RAISED = [e for parts in KNOWN for e in raised_by(parts)]
KNOWN_NAMES = [e.split(":")[0] for e in KNOWN_RAISED]
KNOWN_ODD = any([odd_number(part) for parts in KNOWN for part in parts if part[:1] != "!"])
KNOWN_BYTES = any(["\\x" in text for text in explained])


def nature(parts):
    """The class of an outcome that no order gives."""
    new = [e for e in raised_by(parts) if e not in KNOWN_RAISED]
    for e in new:
        if e.split(":")[0] in INTERNAL:
            return "internal " + e.split(":")[0]
    values = [part for i, part in enumerate(parts) if part[:1] != "!" and i not in free]
    if not KNOWN_ODD and any([odd_number(value) for value in values]):
        return "alien"
    if not KNOWN_BYTES and [1 for i, part in enumerate(parts) if "\\x" in part and i not in free]:
        return "alien"
    for e in new:
        by_design = [1 for r in RAISES if e[:len(r)] == r]
        if not by_design and e.split(":")[0] not in KNOWN_NAMES:
            return "exception " + e.split(":")[0]
    return "order"


def wrong(results, o):
    """The classes of what is wrong with an outcome and its object at rest."""
    kinds = [nature([render(x) for x in results])] if line(results, free) not in explained else []
    return kinds + (["check"] if check(o) is not True else [])

def raised_by(texts):
    return [(i, text[1:]) for i, text in enumerate(texts) if text[:1] == "!"]


def holds(text, reading):
    """Whether a text holds a reading of poisoned memory: as a whole word, or bytes anywhere."""
    at = text.find(reading)
    while at >= 0:
        around = text[max(at - 1, 0):at] + text[at + len(reading):][:1]
        if reading[:1] == "\\" or not [c for c in around if c.isalnum() or c in "_."]:
            return True
        at = text.find(reading, at + 1)
    return False


def nature(parts):
    """The class of an outcome that no order gives."""
    known = [e for texts in ORDERS.known for _, e in raised_by(texts)]
    new = [(i, e) for i, e in raised_by(parts) if e not in known]
    for _, e in new:
        if e.split(":")[0] in INTERNAL:
            return "internal " + e.split(":")[0]
    for reading in POISON:
        usual = [text for texts in ORDERS.known for text in texts if holds(text, reading)]
        if not usual and [part for part in parts if part[:1] != "!" and holds(part, reading)]:
            return "alien"
    names = [e.split(":")[0] for e in known]
    for i, e in new:
        if not _by_design("!" + e, RAISES[i] if i < len(RAISES) else ()) and e.split(":")[0] not in names:
            return "exception " + e.split(":")[0]
    return "order"


def wrong(text, o):
    """The classes of what is wrong with an outcome and its object at rest."""
    kinds = [] if is_explained(text) else [nature(text.split(" | "))]
    return kinds + (["check"] if not broken_alone and contradicts(o) else [])

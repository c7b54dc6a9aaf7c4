others = {}


def outcome(results, o):
    """The text of what the operations gave and of the object at rest."""
    try:
        end = FINAL(o)
    except BaseException as e:
        end = X(e)
    return line(results + [end], ORDERS.free)


def is_told(text, kinds):
    """Says what is wrong with an outcome; whether that is what is looked for."""
    if WRONG in kinds:
        print("hit:       " + text)
        for one in sorted(ORDERS.explained()):
            print("explained: " + one)
        return True
    for kind in kinds:
        if kind not in others:
            others[kind] = 1  # another failure: said, and no hit
            print("other: " + kind + ": " + text)
    return False


def unexplained(objects, columns):
    for i in range(len(objects)):
        text = outcome([column[i] for row in columns for column in row], objects[i])
        if is_told(text, wrong(text, objects[i])):
            return True
    return False

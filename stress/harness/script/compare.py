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
        getattr(sys.stdout, "flush", int)()  # the same fault may end the process next
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
        try:
            text = outcome([column[i] for row in columns for column in row], objects[i])
        except Exception as e:
            # The result was sound when it was returned: it changed since, or memory is corrupt.
            text, kinds = "a table of results raised " + type(e).__name__, ["check"]
        else:
            kinds = wrong(text, objects[i])
        if is_told(text, kinds):
            return True
    return False

def orders(left):
    """All orders of so many operations of each thread, as texts of thread numbers."""
    if not any(left):
        yield ""
    for t in range(len(left)):
        if left[t]:
            for rest in orders(left[:t] + [left[t] - 1] + left[t + 1:]):
                yield str(t) + rest


def contradicts(o):
    """Whether the object at rest is not what `check` asks for."""
    try:
        return check(o) is not True
    except BaseException:
        return True


broken_alone = []  # not empty: the check is false without any race

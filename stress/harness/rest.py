def counted(tokens):
    """Reference counts of the tokens, where the VM tells them."""
    get = getattr(sys, "getrefcount", None)
    return [get(t) for t in tokens] if get else []


def living(tokens):
    """How many objects of ours are alive beside the tokens, where the VM tells."""
    get = getattr(gc, "get_objects", None)
    if not get:
        return 0
    return sum([1 for x in get() if type(x) is Tok]) - len(tokens)

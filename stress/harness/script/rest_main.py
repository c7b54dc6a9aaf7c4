def at_rest():
    """Reference counts of the long-lived objects, and how many fresh ones are alive."""
    gc.collect()
    return counted(V), living(V)


def changed():
    """Whether it differs from before, after as many looks as a late collector needs."""
    return all([at_rest() != before for _ in range(3)])


stride(0, in_turn)
before = at_rest()
stride(1, in_turn)
if changed():
    print("not hit: one thread alone leaves %r behind where %r was" % (at_rest(), before))
    sys.exit(0)
turn = 0
while time.time() < deadline:
    stride(turn)
    turn += 1
    if changed():
        print("hit: at rest counts and live objects are %r, before they were %r" % (at_rest(), before))
        sys.exit(1)
print("not hit in %d strides" % turn)

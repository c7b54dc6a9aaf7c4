def stride(turn, run=parallel):
    """One thread runs its operations and waits in the middle of them until the others have run theirs."""
    o = MK()
    if run is parallel:
        parallel([(PAUSE.race, [OPERATIONS, o, turn % len(OPERATIONS)])])
    else:
        for row in OPERATIONS:
            PAUSE.race([row], o, 0)
    if not broken_alone and contradicts(o):
        if run is not parallel:
            broken_alone[:] = [1]
        else:
            print("hit: check")
            sys.exit(1)


stride(0, in_turn)

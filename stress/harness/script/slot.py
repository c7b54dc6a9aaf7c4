ALONE = set()  # what one thread raises too


def stride(turn, run=parallel):
    """No barrier at all: every thread works on what the slot holds, any of them replaces it."""
    slot = [MK()]
    alarms = [[] for _ in THREADS]
    turns = TURNS if run is parallel else min(TURNS, 300)
    run([(fn, (slot, turns, MASKS[turn % len(MASKS)], a)) for fn, a in zip(THREADS, alarms)])
    for text in [text for a in alarms for text in a]:
        if run is in_turn:
            ALONE.add(text)
        elif text not in ALONE:
            if ALARM_IS_HIT:
                print("hit: raised " + text)
                sys.exit(1)
            ALONE.add(text)  # told once
            print("other: raised " + text)

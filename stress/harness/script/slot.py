ALONE = set()  # what one thread raises too
TOLD = set()  # what else was raised, and said


class Alarms(object):
    """What the operations of one thread raise that none may. Told at once, for the process may die of the
    same fault before the threads are through."""

    def __init__(self, run):
        self.texts = []
        self.told = run is parallel

    def __len__(self):
        return len(self.texts)

    def append(self, text):
        self.texts.append(text)
        if not self.told or text in ALONE:
            return
        if ALARM_IS_HIT:
            print("hit: raised " + text)
        elif text not in TOLD:
            TOLD.add(text)
            print("other: raised " + text)
        getattr(sys.stdout, "flush", int)()


def stride(turn, run=parallel):
    """No barrier at all: every thread works on what the slot holds, any of them replaces it."""
    slot = [MK()]
    alarms = [Alarms(run) for _ in THREADS]
    turns = TURNS if run is parallel else min(TURNS, 300)
    run([(fn, (slot, turns, MASKS[turn % len(MASKS)], a)) for fn, a in zip(THREADS, alarms)])
    raised = set([text for a in alarms for text in a.texts])
    if run is in_turn:
        ALONE.update(raised)
    elif ALARM_IS_HIT and raised.difference(ALONE):
        sys.exit(1)

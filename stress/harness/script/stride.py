def fill(objects):
    for i in range(len(objects)):
        objects[i] = MK()


def stride(turn, run=parallel):
    """All threads walk over the same fresh objects, in step, shifted by a few loop turns."""
    n = min(SIZE, FIRST + 200 * turn)
    objects = [None] * n
    if turn % 3 == 2:
        parallel([(int, ()), (fill, (objects,))])  # objects that another thread owns
    else:
        fill(objects)
    arrived = [[None if run is parallel else 1] * n for _ in THREADS]
    results = [[[None] * n for _ in range(k)] for k in LENS]
    tasks = []
    for t, fn in enumerate(THREADS):
        late = LAGS[turn // 2 % len(LAGS)] if t == turn % 2 else 0
        spin = [(i * 7919) % (late + 1) for i in range(n)]
        others = [arrived[u] for u in range(len(THREADS)) if u != t]
        tasks.append((fn, [objects, arrived[t], spin] + others + results[t]))
    run(tasks)
    return objects, results

RECORD = []  # for each operation, what the other threads had done when it began, object by object
unrecorded = parallel


def parallel(tasks):
    """The threads say after each operation how far they are, and keep before each how far the others were."""
    if tasks[0][0] is THREADS[0]:
        n = len(tasks[0][1][0])
        done = [[0] * n for _ in LENS]
        seen = [[[0] * n for _ in range(k)] for k in LENS]
        RECORD[:] = [column for row in seen for column in row]
        others = [[done[u] for u in range(len(LENS)) if u != t] for t in range(len(LENS))]
        tasks = [(fn, args + [done[t]] + seen[t] + others[t]) for t, (fn, args) in enumerate(tasks)]
    unrecorded(tasks)

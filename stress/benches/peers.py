

# The two usual tests, as peers: the harness above supplies scenario, tally and records.
def peer(spec, job, kind):
    run = Run(spec, job, [])
    emit("B", spec["id"])
    run.explain()
    emit("P", spec["id"], "stride")
    tally = Tally(run)
    until = clock() + spec["ms"] / 1000.0
    bodies = run.bodies
    if kind == "barrier":
        barrier_peer(run, bodies, tally, until)
    else:
        pool_peer(run, bodies, tally, until)
    texts = tally.all()
    for text in texts:
        emit("O", spec["id"], texts[text], text)
    emit("C", spec["id"], run.runs, 0, 0, 0)
    emit("E", spec["id"])
    emit("X")


def calls(row, o, results):
    for j in range(len(row)):
        try:
            results[j] = row[j](o)
        except BaseException as e:
            results[j] = X(e)


def finish(run, o, results, tally):
    try:
        f = run.final(o)
    except BaseException as e:
        f = X(e)
    tally.one(tuple([r for row in results for r in row] + [f]), 1, o)
    run.runs += 1


def barrier_peer(run, bodies, tally, until):
    """Two persistent threads, a barrier before and after each object."""
    barrier = threading.Barrier(len(bodies))
    box = [run.make(), False]
    results = [[None] * len(row) for row in bodies]

    def other(t):
        while True:
            barrier.wait()
            if box[1]:
                return
            calls(bodies[t], box[0], results[t])
            barrier.wait()

    threads = [threading.Thread(target=other, args=(t,)) for t in range(1, len(bodies))]
    for thread in threads:
        thread.start()
    while clock() < until:
        barrier.wait()
        calls(bodies[0], box[0], results[0])
        barrier.wait()
        finish(run, box[0], results, tally)
        box[0] = run.make()
    box[1] = True
    barrier.wait()
    for thread in threads:
        thread.join()


def pool_peer(run, bodies, tally, until):
    """A thread pool, a barrier at the start of each task: the usual test."""
    from concurrent.futures import ThreadPoolExecutor

    barrier = threading.Barrier(len(bodies))

    def task(t, o, results):
        barrier.wait()
        calls(bodies[t], o, results[t])

    with ThreadPoolExecutor(max_workers=len(bodies)) as pool:
        while clock() < until:
            o = run.make()
            results = [[None] * len(row) for row in bodies]
            for future in [pool.submit(task, t, o, results) for t in range(len(bodies))]:
                future.result()
            finish(run, o, results, tally)

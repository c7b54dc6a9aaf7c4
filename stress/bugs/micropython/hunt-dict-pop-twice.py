# threadbare/hunt#micropython-dict-pop-twice: one key popped by two threads is counted twice:
# len() says less than the keys that are there
import sys, time, _thread

end = time.time() + (int(float(sys.argv[1])) if len(sys.argv) > 1 else 10)
ROUNDS = 200


def work(tables, arrived, me):
    for i in range(ROUNDS):
        arrived[me][i] = 1
        while not arrived[1 - me][i]:
            pass
        tables[i].pop("a", None)
    arrived[me].append(1)


while time.time() < end:
    tables = [dict(a=1, b=2, c=3) for _ in range(ROUNDS)]
    arrived = [[0] * ROUNDS, [0] * ROUNDS]
    _thread.start_new_thread(work, (tables, arrived, 0))
    work(tables, arrived, 1)
    while len(arrived[0]) == ROUNDS:
        pass
    for table in tables:
        if len(table) != len(list(table)):
            print("hit: len() is %d, keys are %r" % (len(table), list(table)))
            sys.exit(1)

# threadbare/hunt#micropython-dict-update-twice: one new key stored by two threads takes two
# slots: a dict has more entries than there are keys
import sys, time, _thread

end = time.time() + (int(float(sys.argv[1])) if len(sys.argv) > 1 else 10)
ROUNDS = 200


def work(tables, arrived, me):
    for i in range(ROUNDS):
        arrived[me][i] = 1
        while not arrived[1 - me][i]:
            pass
        tables[i]["k"] = me
    arrived[me].append(1)


while time.time() < end:
    tables = [{} for _ in range(ROUNDS)]
    arrived = [[0] * ROUNDS, [0] * ROUNDS]
    _thread.start_new_thread(work, (tables, arrived, 0))
    work(tables, arrived, 1)
    while len(arrived[0]) == ROUNDS:
        pass
    for table in tables:
        if len(list(table)) > 1:
            print("hit: the one key is there %d times" % len(list(table)))
            sys.exit(1)

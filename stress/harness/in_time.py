# What a measured loop (scenario/threads.rs) keeps before each operation: how many operations each other thread had
# done, as digits of one number. A thread sets an item of a list after each operation, and another reads it before
# its next. Lists are safe to share on every VM that promises anything, and what a thread did before it set an item
# is seen by whoever reads that item (CPython releases and acquires, RustPython locks): what is counted happened
# before, so that an order which puts it later is none. That nothing was counted says nothing. Where a VM promises
# nothing of lists no record is kept.
_DONE = 64


def _before(numbers, lens):
    """For each operation how many operations of each thread were done when it began."""
    found = []
    for t, n in enumerate(lens):
        for number in numbers[len(found):len(found) + n]:
            done = []
            for u in range(len(lens)):
                done.append(0 if u == t else number % _DONE)
                number = number if u == t else number // _DONE
            found.append(done)
    return found


def _in_words(before, lens):
    """`2.1 after 1.3`: operation 1 of thread 2 began when operation 3 of thread 1 was done."""
    names = [(t + 1, j + 1) for t, n in enumerate(lens) for j in range(n)]
    return ", ".join(["%d.%d after %d.%d" % (name + (u + 1, n)) for name, done in zip(names, before)
                      for u, n in enumerate(done) if n])

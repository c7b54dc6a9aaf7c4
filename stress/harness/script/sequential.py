def orders(left):
    if not any(left):
        yield ()
    for t in range(len(left)):
        if left[t]:
            for rest in orders(left[:t] + [left[t] - 1] + left[t + 1:]):
                yield (t,) + rest


def outcome(results, o):
    try:
        end = FINAL(o)
    except BaseException as e:
        end = X(e)
    return results + [end]


def one_order(order):
    o = MK()
    results = [[None] * len(row) for row in OPERATIONS]
    at = [0] * len(OPERATIONS)
    for t in order:
        try:
            results[t][at[t]] = OPERATIONS[t][at[t]](o)
        except BaseException as e:
            results[t][at[t]] = X(e)
        at[t] += 1
    return outcome([r for row in results for r in row], o)

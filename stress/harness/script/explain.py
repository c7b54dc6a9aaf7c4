# All orders, twice: what differs between the passes is no race and is not compared.
_first = [one_order(order) for order in orders(LENS)]
_second = [one_order(order) for order in orders(LENS)]
free = set([i for a, b in zip(_first, _second) for i in range(len(a)) if render(a[i]) != render(b[i])])
explained = set([line(results, free) for results in _first + _second])

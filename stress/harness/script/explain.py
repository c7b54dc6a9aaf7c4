def _look(o):
    if contradicts(o):
        broken_alone[:] = [1]


# What one thread gives: of all orders where they are few, else of some. Others are run as an outcome asks.
ORDERS = _Orders(MK, OPERATIONS, FINAL, RAISES, _look)
some = [order for order, _ in zip(orders(LENS), range(71))]
for order in some[:16] if len(some) > 70 else some:
    ORDERS.run(order)
explained = ORDERS.explained()
judged = {}  # whether some order gives an outcome that was not known from the beginning; None: undecided


def is_explained(text):
    if text in explained:
        return True
    if text not in judged:
        want = text.split(" | ")
        ORDERS.allow(10)
        order = ORDERS.explain(want, False)
        if order == "":
            order = ORDERS.explain(want, True)
        judged[text] = None if order is None else order != ""
        if order is None:
            print("undecided: " + text)
    return judged[text] is not False

against = {}  # whether only orders against real time give an outcome


def is_against(text, numbers):
    """Whether some order gives an outcome, and none that keeps to what was done before what."""
    if (text, numbers) not in against:
        want = text.split(" | ")
        ORDERS.allow(10)
        some = ORDERS.explain(want, False)
        against[text, numbers] = some and ORDERS.explain_in_time(want, _before(numbers, LENS)) == ""
    return against[text, numbers]


def unexplained(objects, columns):
    for i in range(len(objects)):
        text = outcome([column[i] for row in columns for column in row], objects[i])
        numbers = tuple([column[i] for column in RECORD])
        kinds = wrong(text, objects[i])
        if [n for n in numbers if n] and is_against(text, numbers):
            kinds.append("real time")
            text += ", where " + _in_words(_before(numbers, LENS), LENS)
        if is_told(text, kinds):
            return True
    return False

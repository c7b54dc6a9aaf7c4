def looked_at(objects, columns):
    """Looks at all results and objects as the hunt did: what was freed too early may only die here."""
    for i in range(len(objects)):
        results = [column[i] for row in columns for column in row]
        try:
            results.append(FINAL(objects[i]))
        except BaseException as e:
            results.append(X(e))
        line(results, ())

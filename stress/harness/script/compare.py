others = {}


def unexplained(objects, columns):
    for i in range(len(objects)):
        results = outcome([column[i] for row in columns for column in row], objects[i])
        kinds = wrong(results, objects[i])
        if WRONG in kinds:
            print("hit:       " + line(results, free))
            for one in sorted(explained):
                print("explained: " + one)
            return True
        for kind in kinds:
            if kind not in others:
                others[kind] = 1  # another failure: said, and no hit
                print("other: " + kind + ": " + line(results, free))
    return False

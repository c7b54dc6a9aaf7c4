def trial():
    """The text of one race, and whether its object contradicts itself."""
    objects, columns = stride(turn)
    text = outcome([column[0] for row in columns for column in row], objects[0])
    return [text, "check" if contradicts(objects[0]) else ""]


turn = 0
while time.time() < deadline:
    text, contradiction = in_process(trial)
    kinds = [] if is_explained(text) else [nature(text.split(" | "))]
    if is_told(text, kinds + ([contradiction] if contradiction else [])):
        sys.exit(1)
    turn += 1
print("not hit in %d processes" % turn)

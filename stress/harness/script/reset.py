on_what_is_there = stride


def stride(turn, run=parallel):
    """A stride on what the module shares, as it was in the beginning."""
    RESET()
    return on_what_is_there(turn, run)

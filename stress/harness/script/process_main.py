def trial():
    stride(turn)
    return [""]


turn = 0
while time.time() < deadline:
    in_process(trial)
    turn += 1
print("not hit in %d processes" % turn)

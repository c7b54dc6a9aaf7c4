stride(0, in_turn)
turn = 0
while time.time() < deadline:
    stride(turn)
    turn += 1
print("not hit in %d strides" % turn)

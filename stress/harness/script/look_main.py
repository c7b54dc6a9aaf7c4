turn = 0
while time.time() < deadline:
    objects, columns = stride(turn)
    if turn % 3 == 1:
        looked_at(objects, columns)
    turn += 1
print("not hit in %d strides" % turn)

turn = 0
while time.time() < deadline:
    if unexplained(*stride(turn)):
        sys.exit(1)
    turn += 1
print("not hit in %d strides" % turn)

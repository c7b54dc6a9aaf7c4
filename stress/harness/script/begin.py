

print("begun")
getattr(sys.stdout, "flush", int)()

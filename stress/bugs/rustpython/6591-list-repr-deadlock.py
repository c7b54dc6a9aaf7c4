# RustPython/RustPython#6591: repr(list) holds the read lock while it calls __repr__, which
# appends
class Item:
    def __repr__(self):
        if len(shared) < 3:
            shared.append(1)
        return "x"


shared = [Item()]
for _ in range(3):
    repr(shared)

# RustPython/RustPython#8551: del of a closure variable drops the old value under the cell's
# lock; its __del__ reads the cell
def run():
    class Reader:
        def __del__(self):
            try:
                it
            except NameError:
                pass

    it = Reader()
    del it


for _ in range(100):
    run()

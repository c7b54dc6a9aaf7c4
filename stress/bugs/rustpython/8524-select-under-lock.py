# RustPython/RustPython#8524: a lock is held across a call back: fileno() clears the list that
# select() walks
import os, select

ends = os.pipe()


class File:
    def fileno(self):
        files.clear()
        return ends[1]


files = [File(), File()]
try:
    select.select([], files, [], 0)
except (ValueError, RuntimeError):
    pass

# cython: language_level=3, freethreading_compatible=True
"""Two counters in Cython, for a VM with or without a GIL. Tally.add reads, works and writes: without a GIL
an update of two threads is lost. Locked.add does it in a critical section of the object."""
cimport cython


cdef class Tally:
    cdef long n

    def add(self, long k):
        cdef long before = self.n
        work()
        self.n = before + k

    def value(self):
        return self.n


cdef class Locked:
    cdef long n

    def add(self, long k):
        cdef long before
        with cython.critical_section(self):
            before = self.n
            work()
            self.n = before + k

    def value(self):
        return self.n


cdef class Slot:
    """Holds what a Python function makes of what it held: the function runs in the middle."""
    cdef object held

    def __init__(self):
        self.held = 0

    def apply(self, f):
        self.held = f(self.held)

    def value(self):
        return self.held


cdef int work() noexcept:
    cdef volatile int i = 0
    while i < 2000:
        i += 1
    return 0

# RustPython/RustPython#6509: slot calls run Python code under an object's lock: a getter that
# sets its property's doc
class Box:
    @property
    def x(self):
        Box.__dict__["x"].__doc__ = "text"
        return 1


Box().x

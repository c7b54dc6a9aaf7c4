# python/cpython#149142: a flag of a decimal context is set by reading, changing and writing a
# plain word
import decimal
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
context = decimal.Context(prec=3)
one, three = decimal.Decimal(1), decimal.Decimal(3)


def divide():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                context.divide(one, three)
                context.clear_flags()
        except Exception:
            pass


def show():
    while time.monotonic() < end:
        try:
            for _ in range(50):
                repr(context)
                context.flags[decimal.Inexact]
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (divide, show)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()

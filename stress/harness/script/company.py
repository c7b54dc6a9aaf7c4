COMPANY.enter()
without_company = parallel


def parallel(tasks):
    """The tasks in their threads, in company."""
    COMPANY.start()
    try:
        without_company([(COMPANY.join, [fn] + list(args)) for fn, args in tasks])
    finally:
        COMPANY.stop()

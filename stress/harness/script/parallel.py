def parallel(tasks):
    """Runs the first task here and the others in threads of their own."""
    done = [_thread.allocate_lock() for _ in tasks[1:]]

    def run(fn, args, lock):
        try:
            fn(*args)
        finally:
            lock.release()

    for lock, (fn, args) in zip(done, tasks[1:]):
        lock.acquire()
        _thread.start_new_thread(run, (fn, args, lock))
    tasks[0][0](*tasks[0][1])
    for lock in done:
        lock.acquire()


def in_turn(tasks):
    """Runs one task after the other: what shows then is no race."""
    for fn, args in tasks:
        fn(*args)


seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 30.0
deadline = time.time() + seconds
if hasattr(faulthandler, "dump_traceback_later"):
    faulthandler.dump_traceback_later(seconds + 10, exit=True)  # a hang ends with every thread's stack

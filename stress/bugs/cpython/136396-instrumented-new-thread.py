# python/cpython#136396: a new thread gets a clean bytecode copy although its code says it is
# instrumented
import sys, threading, time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
watch, seen = sys.monitoring, []
watch.use_tool_id(3, "tool")
watch.register_callback(3, watch.events.PY_START, lambda code, _: seen.append(code.co_name))


def target():
    pass


def run():
    watch.set_events(3, watch.events.PY_START)
    target()
    watch.set_events(3, 0)


while time.monotonic() < end:
    run()
    seen.clear()
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if "target" not in seen:
        print("hit: the call in a new thread gave no event")
        sys.exit(1)

# python/cpython#131141: sys.monitoring.register_callback() replaces the callable while an event
# is delivered
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
watch = sys.monitoring
watch.use_tool_id(3, "tool")
watch.set_events(3, watch.events.CALL)


def replace():
    while time.monotonic() < end:
        try:
            for _ in range(20):
                watch.register_callback(3, watch.events.CALL, lambda *args: None)
        except Exception:
            pass


def call():
    while time.monotonic() < end:
        try:
            for _ in range(20):
                len("")
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (replace, call, call)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()

# RustPython/RustPython#7364: fork while other threads hold VM, import and I/O locks: the child
# hangs
import os, sys, threading, time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
sink = open(os.devnull, "w")


def work():
    while time.monotonic() < end:
        print("x", file=sink)
        sys.modules.pop("colorsys", None)
        import colorsys


threads = [threading.Thread(target=work, daemon=True) for _ in range(2)]
for thread in threads:
    thread.start()
while time.monotonic() < end:
    child = os.fork()
    if child == 0:
        try:
            print("child", file=sink)
            sys.modules.pop("colorsys", None)
            import colorsys
        finally:
            os._exit(0)
    limit = time.monotonic() + 5
    while os.waitpid(child, os.WNOHANG)[0] == 0:
        if time.monotonic() > limit:
            os.kill(child, 9)
            print("hit: the child of a fork hangs", flush=True)
            os._exit(1)
        time.sleep(0.001)

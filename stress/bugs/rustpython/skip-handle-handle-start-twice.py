# RustPython/RustPython#skip-handle: one thread handle is started twice
import _thread, sys

handle = _thread._ThreadHandle()
_thread.start_joinable_thread(int, handle=handle)
try:
    _thread.start_joinable_thread(int, handle=handle)
except RuntimeError:
    pass
else:
    print("hit: one handle was started twice")
    sys.exit(1)
handle.join()

# Run by gdb in a hung CPython: which locks each thread holds, where the VM knows.
#
#   @holds LWP ADDRESS     a mutex of an active critical section of that thread
#   @owner ADDRESS THREAD  an RLock that a thread waits for, and its owner's pthread address
#
# Critical sections are a stack of tagged pointers in the thread's state (Include/cpython/
# critical_section.h): bit 0 says that the thread has suspended them all, bit 1 that two mutexes
# are held. Plain locks do not know their holder.
import gdb


def critical_sections():
    one = gdb.lookup_type("PyCriticalSection")
    two = gdb.lookup_type("PyCriticalSection2")
    interpreter = gdb.parse_and_eval("_PyRuntime.interpreters.head")
    while int(interpreter):
        thread = interpreter["threads"]["head"]
        while int(thread):
            tag, seen = int(thread["critical_section"]), 0
            while tag & ~3 and not tag & 1 and seen < 64:
                section = gdb.Value(tag & ~3).cast(one.pointer())
                held = [section["_cs_mutex"]]
                if tag & 2:
                    held.append(section.cast(two.pointer())["_cs_mutex2"])
                for mutex in held:
                    print("@holds %d 0x%x" % (int(thread["native_thread_id"]), int(mutex)))
                tag, seen = int(section["_cs_prev"]), seen + 1
            thread = thread["next"]
        interpreter = interpreter["next"]


def rlocks():
    for thread in gdb.selected_inferior().threads():
        thread.switch()
        frame, depth = gdb.newest_frame(), 0
        while frame and depth < 24:
            if frame.name() in ("rlock_acquire", "rlock_acquire_impl"):
                lock = frame.read_var("self")
                print("@owner 0x%x 0x%x" % (int(lock), int(lock["rlock_owner"])))
                break
            frame, depth = frame.older(), depth + 1


for look in (critical_sections, rlocks):
    try:
        look()
    except Exception:
        pass  # another version, or a VM without debug information

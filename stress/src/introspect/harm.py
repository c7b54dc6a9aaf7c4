# What is not tried without being asked for, because it does harm outside or to the process, or because one thread
# alone can break it by design.
# Functions that act on files and processes: tried or hunted without being asked for they do harm.
HARMFUL = ("abort chdir chmod chown chroot closerange execl execle execlp execv execve execvp fchdir fchmod fork forkpty "
           "hardlink_to input kill killpg lchmod link_to makedirs mkdir mkfifo nice popen posix_spawn putenv reboot "
           "register_at_fork removedirs rename renames rmdir rmtree send_signal setgid setrlimit setuid shutdown spawn "
           "symlink symlink_to system terminate touch unlink write_bytes write_text").split()
HARMFUL_FUNCTIONS = "breakpoint close displayhook excepthook exit ftruncate main open pthread_getcpuclockid quit remove replace sleep wait waitpid".split()
RAW = "acts on raw memory, where one thread alone can do harm"
WITHIN = "made to test the VM from within"
WHOLE = "changes the whole process"
OUTSIDE = "acts on files, processes, terminals or the network"
SHUNNED = {
    "ctypes": RAW, "_ctypes": RAW, "_ctypes_test": RAW, "_posixshmem": OUTSIDE, "_posixsubprocess": OUTSIDE, "_curses": OUTSIDE,
    "_curses_panel": OUTSIDE, "_tkinter": OUTSIDE, "readline": OUTSIDE, "ossaudiodev": OUTSIDE, "nis": OUTSIDE,
    "_interpreters": WHOLE, "_interpchannels": WHOLE, "_interpqueues": WHOLE, "_xxsubinterpreters": WHOLE,
    "_xxinterpchannels": WHOLE, "faulthandler": WHOLE, "_dbm": OUTSIDE, "_gdbm": OUTSIDE, "_crypt": OUTSIDE, "__main__": WHOLE,
    "xxsubtype": WITHIN, "xxlimited": WITHIN, "xxlimited_35": WITHIN, "_imp": WHOLE, "_frozen_importlib": WHOLE,
    "_frozen_importlib_external": WHOLE, "audioop": RAW,
}
# Modules whose functions are left alone; their types are not.
SHUNNED_FUNCTIONS = {
    "posix": OUTSIDE, "_socket": OUTSIDE, "fcntl": OUTSIDE, "termios": OUTSIDE, "syslog": OUTSIDE, "select": OUTSIDE,
    "sys": WHOLE, "signal": WHOLE, "_signal": WHOLE, "_thread": WHOLE, "resource": WHOLE, "gc": WHOLE, "atexit": WHOLE,
    "marshal": "documented as unsafe on data that it did not write", "_multiprocessing": OUTSIDE, "_sqlite3": WHOLE, "_ssl": OUTSIDE,
    "_locale": WHOLE, "_testconsole": WITHIN, "pwd": OUTSIDE, "grp": OUTSIDE, "spwd": OUTSIDE, "_asyncio": WHOLE, "_warnings": WHOLE,
    "_suggestions": WITHIN, "_tracemalloc": WHOLE, "_lsprof": WHOLE, "errno": WHOLE, "_symtable": OUTSIDE, "_rp_test": WITHIN,
}
SHUNNED_TYPES = {"FileIO": "owns a descriptor by its number", "socket": "owns a descriptor by its number", "mmap": RAW,
                 "_socket": OUTSIDE, "epoll": "owns a descriptor by its number", "SemLock": OUTSIDE, "WinConsoleIO": OUTSIDE,
                 "FrameLocalsProxy": WITHIN, "SimplePool": WITHIN}
# Functions of those modules that only look.
LOOKS = ("get", "_get", "is", "_is", "W", "hton", "ntoh", "inet_", "CMSG_", "str", "nl_langinfo", "localeconv", "stat", "lstat", "fstat",
         "listdir", "sched_get", "cpu_count", "urandom", "fspath", "times", "uname", "confstr", "sysconf", "pathconf", "major", "minor",
         "makedev", "readlink", "access", "ctermid", "_path", "valid_", "dumps", "_ncallbacks", "collect", "intern", "exc",
         "_current", "_count", "allocate", "lock_held", "current_", "if_nameindex", "if_index", "statvfs", "sizeof", "_debugmall", "count")


def shunned_module(module):
    return SHUNNED.get(module) or (WITHIN if module.startswith("_test") or module.startswith("_xx") else None)


def shunned_function(module, name):
    """Why this function is left alone, if it is."""
    if module in SHUNNED_FUNCTIONS and not [1 for start in LOOKS if name.startswith(start)]:
        return SHUNNED_FUNCTIONS[module]
    if name in HARMFUL or name in HARMFUL_FUNCTIONS:
        return "acts on files or processes"
    return None

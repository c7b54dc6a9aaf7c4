# python/cpython#130094: many modules are imported by several threads at once
import os, sys, threading, time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
wanted = """abc argparse array ast base64 bisect calendar cmd code codecs codeop colorsys configparser copy csv
dataclasses datetime decimal difflib dis email enum filecmp fileinput fnmatch fractions ftplib functools getopt
getpass gettext glob graphlib gzip hashlib heapq hmac html http imaplib inspect ipaddress json keyword linecache
locale logging mailbox mimetypes netrc numbers operator optparse os pathlib pdb pickle pkgutil platform plistlib
poplib pprint profile pstats pyclbr queue quopri random re sched secrets selectors shelve shlex shutil smtplib
socket sqlite3 ssl stat statistics string struct subprocess symtable tarfile tempfile textwrap timeit token trace
traceback tty types typing unittest urllib uuid warnings wave weakref xml zipapp zipfile zlib""".split()


def trial():
    names, failed = list(wanted), []

    def load():
        while names:
            try:
                __import__(names.pop())
            except Exception as e:
                failed.append(e)

    threads = [threading.Thread(target=load) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    failed = [e for e in failed if not isinstance(e, IndexError)]
    if failed:
        print("hit:", repr(failed[0]), flush=True)
    os._exit(1 if failed else 0)


while time.monotonic() < end:
    child = os.fork()
    if child == 0:
        trial()
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        os.kill(os.getpid(), os.WTERMSIG(status))
    if status:
        sys.exit(1)

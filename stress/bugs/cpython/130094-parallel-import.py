# python/cpython#130094: many modules are imported by several threads at once
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
wanted = """abc argparse array ast base64 bisect calendar cmd code codecs codeop colorsys configparser copy csv
dataclasses datetime decimal difflib dis email enum filecmp fileinput fnmatch fractions ftplib functools getopt
getpass gettext glob graphlib gzip hashlib heapq hmac html http imaplib inspect ipaddress json keyword linecache
locale logging mailbox mimetypes netrc numbers operator optparse os pathlib pdb pickle pkgutil platform plistlib
poplib pprint profile pstats pyclbr queue quopri random re sched secrets selectors shelve shlex shutil smtplib
socket sqlite3 ssl stat statistics string struct subprocess symtable tarfile tempfile textwrap timeit token trace
traceback tty types typing unittest urllib uuid warnings wave weakref xml zipapp zipfile zlib""".split()
if FAULT == "missing":
    wanted.append("a_module_that_comes_late")


def trial():  # runs in a process of its own: what is raced is a first import
    names = list(wanted)
    failed = []

    def load():
        while names:
            try:
                name = names.pop()
            except IndexError:
                break
            try:
                __import__(name)
            except Exception as e:
                failed.append((name, repr(e)))

    together(*[load] * 8)
    if FAULT == "missing":
        sys.modules["a_module_that_comes_late"] = sys
    for name, error in failed:
        try:
            __import__(name)  # what one thread cannot import either is not there
        except Exception:
            continue
        hit("import %s: %s" % (name, error))


forked(trial)

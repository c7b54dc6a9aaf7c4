# python/cpython#130794: memory queued for safe reclamation by short threads is never freed
# after a shared list is resized
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
shared = list(range(256))
kept = []


def double():
    global shared
    shared *= 2


def turn():
    global shared
    run(*[double] * 10)
    if FAULT == "kept":
        kept.append(shared)
    shared = list(range(256))


for _ in range(20):
    turn()
before = peak_memory()
while going():
    turn()
    grown = peak_memory() - before
    if grown > 400_000:
        hit("%d MiB more than after 20 turns of the same work" % (grown // 1024))

# python/cpython#153935: settimeout() against gettimeout()
# --- kit.py, which the program puts here: a printed program stands alone ---
import sys

sys.path.append((__file__.rpartition("/")[0] or ".") + "/..")
from kit import *

# --- end of the kit ---
import socket


connection = socket.socket()


def set_it():
    for _ in range(50):
        connection.settimeout(1.0)
        connection.settimeout(None)


def get_it():
    for _ in range(50):
        connection.gettimeout()


again(set_it, get_it)

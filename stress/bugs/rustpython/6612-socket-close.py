# RustPython/RustPython#6612: close() of a socket while another thread receives on it
import socket
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)


def round_():
    while time.monotonic() < end:
        try:
            left, right = socket.socketpair()


            def receive():
                try:
                    left.recv(1)
                except OSError:
                    pass


            thread = threading.Thread(target=receive)
            thread.start()
            left.close()
            right.close()
            thread.join(5)
        except Exception:
            pass


threads = [threading.Thread(target=f) for f in (round_,)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()

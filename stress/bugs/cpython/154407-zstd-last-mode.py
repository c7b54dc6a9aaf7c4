# python/cpython#154407: ZstdCompressor.last_mode is read while compress() writes it
import sys, threading, time

try:
    from compression.zstd import ZstdCompressor
except ImportError:
    print("skip: compression.zstd is newer than this VM")
    sys.exit(77)
end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
compressor = ZstdCompressor()


def compress():
    while time.monotonic() < end:
        compressor.compress(b"x")


def read():
    while time.monotonic() < end:
        compressor.last_mode


threads = [threading.Thread(target=f) for f in (compress, read)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()

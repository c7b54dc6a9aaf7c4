# python/cpython#133885: one ZstdCompressor used by several threads
import sys, threading, time

try:
    from compression.zstd import ZstdCompressor
except ImportError:
    print("skip: compression.zstd is newer than this VM")
    sys.exit(77)
end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
compressor, data = ZstdCompressor(), bytes(16384)


def compress():
    while time.monotonic() < end:
        compressor.compress(data)


threads = [threading.Thread(target=compress) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()

// Faults for the address sanitizer, one a run.
#include <cstdlib>
#include <cstring>
#include <thread>

struct Buffer {
    char *bytes;
    explicit Buffer(int n) : bytes(new char[n]) {}
    __attribute__((noinline)) char at(int i) { return bytes[i]; }
    __attribute__((noinline)) void drop() { delete[] bytes; }
};
int table[4];
__attribute__((noinline)) static int deep(int n) { volatile char room[1024]; room[0] = n; return n ? deep(n + 1) + room[0] : 0; }
__attribute__((noinline)) static int outside(int i) { int here[4] = {}; return here[i]; }

int main(int argc, char **argv) {
    const char *what = argc > 1 ? argv[1] : "uaf";
    Buffer b(16);
    int n = argc + 2;
    if (!strcmp(what, "uaf")) { std::thread t([&] { b.drop(); }); t.join(); return b.at(3); }
    if (!strcmp(what, "double")) { b.drop(); b.drop(); }
    if (!strcmp(what, "heap")) return b.at(13 + n);
    if (!strcmp(what, "stack")) return outside(n);
    if (!strcmp(what, "global")) return table[n];
    if (!strcmp(what, "bad")) free(b.bytes + n);
    if (!strcmp(what, "mismatch")) free(b.bytes);
    if (!strcmp(what, "overlap")) memcpy(b.bytes, b.bytes + n, 8 * (argc - 1));
    if (!strcmp(what, "segv")) return *reinterpret_cast<volatile int *>(std::uintptr_t(n));
    if (!strcmp(what, "deep")) return deep(n);
    if (!strcmp(what, "leak")) { b.bytes = nullptr; return 0; }
    return 0;
}

// Several kinds of undefined behaviour in one run; it goes on after each.
#include <stdio.h>
#include <stdlib.h>

static int sum(int a, int b) { return a + b; }
static int shift(int a, int n) { return a << n; }
static int item(int *p, int i) { int four[4] = {0}; return p ? *p : four[i]; }

int main(int argc, char **argv) {
    (void)argv;
    puts("output of the program itself");
    fflush(stdout);
    int r = sum(2147483646 + argc, argc) + shift(1, 31 + argc);
    long words[2] = {0};
    r += *(int *)((char *)words + argc);
    r += item(&r, 0) / (argc - 1 ? 1 : 2) + item(NULL, 3 + argc);
    return r == 42;
}

// Faults for the thread sanitizer, one a run: race | free | order | leak | mutex | two.
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct item { long size; long *slots; };
static struct item *shared;
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static int step; // hands the turns over without the sanitizer seeing it

static void turn(int n) {
    while (__atomic_load_n(&step, __ATOMIC_RELAXED) < n) usleep(100);
}
static void next(void) { __atomic_fetch_add(&step, 1, __ATOMIC_RELAXED); }

__attribute__((noinline)) static void item_resize(struct item *it) { it->size++; }
__attribute__((noinline)) static long item_length(struct item *it) { return it->size; }
__attribute__((noinline)) static void item_copy(struct item *it) { memcpy(it->slots, it->slots + 1, 8); }

static void *resize(void *x) { item_resize(shared); if (x) item_copy(shared); next(); return 0; }
static void *length(void *x) { turn(1); long n = item_length(shared); if (x) item_copy(shared); return (void *)(n & 1); }
static void *drop(void *x) { free(shared->slots); next(); return x; }
static void *use(void *x) { turn(1); shared->slots[0] = 1; return x; }
static void *ab(void *x) { pthread_mutex_lock(&a); pthread_mutex_lock(&b); pthread_mutex_unlock(&b); pthread_mutex_unlock(&a); return x; }
static void *ba(void *x) { pthread_mutex_lock(&b); pthread_mutex_lock(&a); pthread_mutex_unlock(&a); pthread_mutex_unlock(&b); return x; }
static void *nothing(void *x) { return x; }

static void both(void *(*f)(void *), void *(*g)(void *), void *x) {
    pthread_t t[2];
    pthread_create(&t[0], 0, f, x);
    pthread_create(&t[1], 0, g, x);
    pthread_join(t[0], 0);
    pthread_join(t[1], 0);
}

int main(int argc, char **argv) {
    const char *what = argc > 1 ? argv[1] : "race";
    pthread_t t;
    shared = malloc(sizeof *shared);
    shared->size = 0;
    shared->slots = malloc(32);
    if (!strcmp(what, "race")) both(resize, length, 0);
    if (!strcmp(what, "two")) both(resize, length, shared);
    if (!strcmp(what, "free")) both(drop, use, 0);
    if (!strcmp(what, "leak")) { pthread_create(&t, 0, nothing, 0); usleep(50000); }
    if (!strcmp(what, "mutex")) pthread_mutex_unlock(&a);
    if (!strcmp(what, "order")) {
        pthread_create(&t, 0, ab, 0); pthread_join(t, 0);
        pthread_create(&t, 0, ba, 0); pthread_join(t, 0);
    }
    return 0;
}

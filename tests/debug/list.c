/* A program for debuggers: tests/check.d/39-debug-wasm.sh knows its lines. */
#include <stdio.h>
#include <string.h>

struct node {
    struct node *next;
    int value;
    const char *name;
};
enum color { RED, GREEN = 5 };
typedef struct node *list;

static int calls;
static struct node pool[4];

static inline __attribute__((always_inline)) int twice(int x) {
    return x + x;
}

__attribute__((noinline)) int sum(list l, double scale, enum color c) {
    int total = 0;
    calls++;
    for (; l; l = l->next) { /* line 23 */
        total += twice(l->value);
        total += (int)(scale * 2);
    }
    return total + c; /* line 27 */
}

int main(int argc, char **argv) {
    static const char *names[] = {"zero", "one", "two", "three"};
    for (int i = 0; i < 4; i++) {
        pool[i].next = i ? &pool[i - 1] : 0;
        pool[i].value = i * argc;
        pool[i].name = names[i];
    }
    int s = sum(&pool[3], 1.5, GREEN); /* line 37 */
    printf("%d %d %d\n", s, calls, (int)strlen(argv[0]) > 0);
    return 0;
}

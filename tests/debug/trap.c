/* A program that divides by zero in a function that was inlined, called from several places. The lines matter: 38-debug.sh knows them. */
#ifdef FREESTANDING
#define print(x) ((void)(x))
#else
#include <stdio.h>
#define print(x) printf("%d\n", (x))
#endif

struct point {
    int x, y;
    short tag;
};
static int table[4] = {1, 2, 3, 4};

static inline __attribute__((always_inline)) int divide(int a, int b) {
    return a / b; /* line 16 */
}
__attribute__((noinline)) int compute(int n) {
    struct point p = {n, n + 1, 7};
    int sum = 0;
    for (int i = 0; i < 4; i++) {
        sum += table[i] * p.x;
        sum += divide(sum, n); /* line 23 */
    }
    return sum + p.y;
}
int main(int argc, char **argv) {
    (void)argv;
    int r = compute(argc - 1); /* line 29 */
    print(r);
    return 0;
}

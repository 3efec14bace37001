/* exe/sort.c — qsort by a heap: in place, n log n whatever the input. Equal elements may change places. */
#include <stdlib.h>
#include <string.h>

typedef int Compare(const void *a, const void *b);

static void swap(char *a, char *b, size_t size) {
    for (char t; size--; a++, b++) {
        t = *a;
        *a = *b;
        *b = t;
    }
}

/* Lets element i sink among the first n. */
static void sink(char *p, size_t i, size_t n, size_t size, Compare *less) {
    for (size_t child; (child = 2 * i + 1) < n; i = child) {
        if (child + 1 < n && less(p + child * size, p + (child + 1) * size) < 0) child++;
        if (less(p + i * size, p + child * size) >= 0) return;
        swap(p + i * size, p + child * size, size);
    }
}

void qsort(void *base, size_t n, size_t size, Compare *less) {
    char *p = base;
    for (size_t i = n / 2; i--;) sink(p, i, n, size, less);
    while (n > 1) {
        n--;
        swap(p, p + n * size, size);
        sink(p, 0, n, size, less);
    }
}

/* exe/heap.c — malloc for a runtime that asks for little: classes of powers of two with free lists, larger blocks from the system.
 *
 * Each block has 16 bytes before it with its room. Blocks of up to 64 KiB come from chunks and go to the list of their class when
 * they are freed; larger ones are mapped for themselves and grow by mremap. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
    HEAD = 16,
    LEAST = 5,
    MOST = 16,
    CHUNK = 256 << 10
}; /* classes of 2^5 ... 2^16 bytes with the head */

typedef struct Block {
    size_t room; /* with the head */
    struct Block *next;
} Block;
static Block *lists[MOST + 1];
static char *cur, *end;

static void *map(size_t n) {
    void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return p == MAP_FAILED ? NULL : p;
}

static size_t pages(size_t n) {
    return (n + 4095) & ~(size_t)4095;
}

void *malloc(size_t n) {
    Block *b;
    if (n > PTRDIFF_MAX - 8192) {
        errno = ENOMEM;
        return NULL;
    }
    n += HEAD;
    unsigned k = LEAST;
    while (k <= MOST && (size_t)1 << k < n) k++;
    if (k > MOST) {
        n = pages(n);
        if (!(b = map(n))) return NULL;
        b->room = n;
        return (char *)b + HEAD;
    }
    n = (size_t)1 << k;
    if ((b = lists[k]) != NULL) {
        lists[k] = b->next;
        return (char *)b + HEAD;
    }
    if ((size_t)(end - cur) < n) { /* what is left of the old chunk is given up */
        char *p = map(CHUNK);
        if (!p) return NULL;
        cur = p;
        end = p + CHUNK;
    }
    b = (Block *)(void *)cur;
    cur += n;
    b->room = n;
    return (char *)b + HEAD;
}

void free(void *p) {
    if (!p) return;
    Block *b = (Block *)(void *)((char *)p - HEAD);
    if (b->room > (size_t)1 << MOST) {
        munmap(b, b->room);
        return;
    }
    unsigned k = (unsigned)__builtin_ctzll(b->room);
    b->next = lists[k];
    lists[k] = b;
}

void *realloc(void *p, size_t n) {
    if (!p) return malloc(n);
    Block *b = (Block *)(void *)((char *)p - HEAD);
    if (n <= b->room - HEAD && (b->room <= (size_t)1 << MOST || n > b->room / 2)) return p;
    if (b->room > (size_t)1 << MOST && n < PTRDIFF_MAX - 8192 &&
        pages(n + HEAD) > (size_t)1 << MOST) {
        size_t room = pages(n + HEAD);
        Block *q = mremap(b, b->room, room, MREMAP_MAYMOVE);
        if (q == MAP_FAILED) return NULL;
        q->room = room;
        return (char *)q + HEAD;
    }
    void *q = malloc(n);
    if (!q) return NULL;
    size_t keep = b->room - HEAD < n ? b->room - HEAD : n;
    memcpy(q, p, keep);
    free(p);
    return q;
}

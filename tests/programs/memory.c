/* Memory: malloc/realloc/free patterns with content checks, growth to many megabytes, an own allocator (boundary tags), a buddy
 * allocator, unaligned access, memmove of every overlap, large stack arrays. */
#include "prog.h"

static void patterns(void) {
    static struct { uint8_t *p; uint32_t n; uint8_t tag; } slot[400];
    int bad = 0;
    for (int round = 0; round < 30000; round++) {
        int i = (int)rnd_below(COUNT(slot));
        if (slot[i].p)
            for (uint32_t k = 0; k < slot[i].n; k += 1 + slot[i].n / 7) bad += slot[i].p[k] != (uint8_t)(slot[i].tag + k);
        uint32_t n = rnd_below(8) ? rnd_below(200) : rnd_below(20000);
        switch (rnd_below(3)) {
        case 0: free(slot[i].p), slot[i].p = NULL; continue;
        case 1: {
            uint32_t common = slot[i].p ? (n < slot[i].n ? n : slot[i].n) : 0;
            uint8_t *p = realloc(slot[i].p, n + 1);
            for (uint32_t k = 0; k < common; k += 1 + common / 5) bad += p[k] != (uint8_t)(slot[i].tag + k);
            slot[i].p = p;
            break;
        }
        default: {
            free(slot[i].p);
            slot[i].p = calloc(n + 1, 1);
            for (uint32_t k = 0; k < n; k += 13) bad += slot[i].p[k] != 0;
        }
        }
        slot[i].n = n, slot[i].tag = (uint8_t)rnd();
        for (uint32_t k = 0; k < n; k++) slot[i].p[k] = (uint8_t)(slot[i].tag + k);
    }
    for (int i = 0; i < COUNT(slot); i++) free(slot[i].p);
    printf("patterns bad %d\n", bad);
}
static void growth(void) {
    uint32_t *block[40];
    uint64_t sum = 0;
    for (int i = 0; i < 40; i++) {
        block[i] = malloc(1 << 20);
        if (!block[i]) { printf("no memory at %d\n", i); exit(9); }
        for (int k = 0; k < 1 << 18; k += 1024) block[i][k] = (uint32_t)(i * 1000003 + k);
    }
    for (int i = 0; i < 40; i++) {
        for (int k = 0; k < 1 << 18; k += 1024) sum += block[i][k] ^ (uint32_t)i;
        free(block[i]);
    }
    printf("growth %llu\n", (unsigned long long)sum);
    void *huge = malloc(0x70000000u / 2);
    free(huge);
}

/* Boundary tags in a fixed arena, first fit, joining free neighbours. */
static uint32_t arena[1 << 14];
enum { WORDS = COUNT(arena) };
static void arena_init(void) { arena[0] = arena[WORDS - 1] = WORDS; }
static int take(uint32_t words) {
    words += 2;
    for (uint32_t i = 0; i < WORDS; i += arena[i] & 0x7fffffffu) {
        uint32_t size = arena[i] & 0x7fffffffu, used = arena[i] >> 31;
        if (used || size < words) continue;
        if (size - words < 4) words = size;
        else arena[i + words] = arena[i + size - 1] = size - words;
        arena[i] = arena[i + words - 1] = words | 0x80000000u;
        return (int)i + 1;
    }
    return 0;
}
static void give(int at) {
    uint32_t i = (uint32_t)at - 1, size = arena[i] & 0x7fffffffu;
    if (i + size < WORDS && !(arena[i + size] >> 31)) size += arena[i + size];
    if (i > 0 && !(arena[i - 1] >> 31)) { uint32_t before = arena[i - 1]; i -= before, size += before; }
    arena[i] = arena[i + size - 1] = size;
}
static void own(void) {
    int at[300] = {0}, failed = 0;
    arena_init();
    for (int i = 0; i < 50000; i++) {
        int k = (int)rnd_below(300);
        if (at[k]) give(at[k]), at[k] = 0;
        else {
            uint32_t n = 1 + rnd_below(120);
            at[k] = take(n);
            if (!at[k]) failed++;
            else for (uint32_t j = 0; j < n; j++) arena[at[k] + (int)j] = (uint32_t)k;
        }
        mix((uint64_t)at[k]);
    }
    for (int k = 0; k < 300; k++) if (at[k]) give(at[k]);
    printf("own failed %d, whole again %d\n", failed, arena[0] == WORDS);
}

static uint8_t buddy[2048];
static int buddy_take(int node, int size, int want) {
    if (buddy[node] == 2 || size < want) return -1;
    if (size == want || size / 2 < want) { if (buddy[node]) return -1; buddy[node] = 2; return node; }
    int r = buddy_take(2 * node, size / 2, want);
    if (r < 0) r = buddy_take(2 * node + 1, size / 2, want);
    if (r >= 0 && !buddy[node]) buddy[node] = 1;
    return r;
}
static void buddy_give(int node) {
    for (buddy[node] = 0; node > 1 && !buddy[node ^ 1]; node /= 2) buddy[node / 2] = 0;
}
static void buddies(void) {
    int held[100], n = 0, refused = 0;
    for (int i = 0; i < 5000; i++) {
        if (n == 100 || (n && rnd_below(2))) { int k = (int)rnd_below((uint32_t)n); buddy_give(held[k]); held[k] = held[--n]; }
        else { int r = buddy_take(1, 1024, 1 << rnd_below(6)); if (r < 0) refused++; else held[n++] = r, mix((uint64_t)r); }
    }
    while (n) buddy_give(held[--n]);
    printf("buddy refused %d free %d\n", refused, buddy[1] == 0);
}
static void moves(void) {
    uint8_t a[80], b[80];
    int bad = 0;
    for (int from = 0; from < 20; from++)
        for (int to = 0; to < 20; to++)
            for (int n = 0; n < 40; n += 3) {
                for (int i = 0; i < 80; i++) a[i] = b[i] = (uint8_t)(i * 7 + from);
                memmove(a + to, a + from, (size_t)n);
                uint8_t t[40];
                for (int i = 0; i < n; i++) t[i] = b[from + i];
                for (int i = 0; i < n; i++) b[to + i] = t[i];
                bad += memcmp(a, b, 80) != 0;
            }
    for (int i = 0; i < 60; i++) {
        uint64_t x;
        uint32_t y;
        uint16_t z;
        memcpy(&x, a + i, 8), memcpy(&y, a + i + 1, 4), memcpy(&z, a + i + 3, 2);
        mix(x ^ y ^ z);
        x *= 3, y += 5;
        memcpy(a + (i * 7) % 64, &x, 8), memcpy(a + (i * 11) % 64, &y, 4);
    }
    printf("moves bad %d\n", bad);
}
static uint64_t big_frame(int depth) {
    uint32_t local[6000];
    for (int i = 0; i < COUNT(local); i++) local[i] = (uint32_t)(i * depth + 1);
    if (depth > 1) local[depth] += (uint32_t)big_frame(depth - 1);
    uint64_t s = 0;
    for (int i = 0; i < COUNT(local); i++) s = s * 31 + local[i];
    return s;
}
int main(void) {
    patterns(), growth(), own(), buddies(), moves();
    printf("frames %016llx\n", (unsigned long long)big_frame(20));
    show("memory");
    return 0;
}

/* Hash tables: open addressing with Robin Hood, chaining with strings and growth, a bloom filter, an LRU cache, cuckoo. */
#include "prog.h"

typedef struct { uint64_t key; int32_t value; uint16_t far; uint8_t used; } Slot;
typedef struct { Slot *slots; uint32_t cap, n; } Robin;
static uint32_t spread(uint64_t k) { k ^= k >> 33; k *= 0xff51afd7ed558ccdull; k ^= k >> 29; return (uint32_t)k; }
static void robin_put(Robin *t, uint64_t key, int32_t value);
static void robin_grow(Robin *t) {
    Robin old = *t;
    t->cap = old.cap ? old.cap * 2 : 8;
    t->slots = calloc(t->cap, sizeof(Slot));
    t->n = 0;
    for (uint32_t i = 0; i < old.cap; i++)
        if (old.slots[i].used) robin_put(t, old.slots[i].key, old.slots[i].value);
    free(old.slots);
}
static void robin_put(Robin *t, uint64_t key, int32_t value) {
    if ((t->n + 1) * 10 > t->cap * 8) robin_grow(t);
    Slot in = {key, value, 0, 1};
    for (uint32_t i = spread(key) & (t->cap - 1);; i = (i + 1) & (t->cap - 1), in.far++) {
        Slot *s = &t->slots[i];
        if (!s->used) { *s = in; t->n++; return; }
        if (s->key == in.key) { s->value = in.value; return; }
        if (s->far < in.far) { Slot x = *s; *s = in; in = x; }
    }
}
static Slot *robin_get(Robin *t, uint64_t key) {
    if (!t->cap) return NULL;
    uint16_t far = 0;
    for (uint32_t i = spread(key) & (t->cap - 1);; i = (i + 1) & (t->cap - 1), far++) {
        Slot *s = &t->slots[i];
        if (!s->used || s->far < far) return NULL;
        if (s->key == key) return s;
    }
}
static void robin_del(Robin *t, uint64_t key) {
    Slot *s = robin_get(t, key);
    if (!s) return;
    uint32_t i = (uint32_t)(s - t->slots);
    for (;;) {
        uint32_t j = (i + 1) & (t->cap - 1);
        if (!t->slots[j].used || t->slots[j].far == 0) break;
        t->slots[i] = t->slots[j];
        t->slots[i].far--;
        i = j;
    }
    t->slots[i].used = 0;
    t->n--;
}

typedef struct Entry { struct Entry *next; char *word; int count; } Entry;
typedef struct { Entry **bucket; int cap, n; } Words;
static uint32_t djb(const char *s) { uint32_t h = 5381; while (*s) h = h * 33 ^ (uint8_t)*s++; return h; }
static Entry *word_at(Words *w, const char *s) {
    if (w->n >= w->cap) {
        int cap = w->cap ? w->cap * 2 : 4;
        Entry **b = calloc((size_t)cap, sizeof *b);
        for (int i = 0; i < w->cap; i++)
            for (Entry *e = w->bucket[i], *next; e; e = next) {
                next = e->next;
                Entry **to = &b[djb(e->word) % (uint32_t)cap];
                e->next = *to, *to = e;
            }
        free(w->bucket);
        w->bucket = b, w->cap = cap;
    }
    Entry **at = &w->bucket[djb(s) % (uint32_t)w->cap];
    for (Entry *e = *at; e; e = e->next)
        if (!strcmp(e->word, s)) return e;
    Entry *e = malloc(sizeof *e);
    e->word = strdup(s), e->count = 0, e->next = *at;
    *at = e, w->n++;
    return e;
}
static int by_count(const void *a, const void *b) {
    const Entry *x = *(Entry *const *)a, *y = *(Entry *const *)b;
    return x->count != y->count ? y->count - x->count : strcmp(x->word, y->word);
}

typedef struct Page { int key, value; struct Page *prev, *next; } Page;
static Page pages[32], *index_of[200], ring;
static int lru(int key, int value) {
    Page *p = index_of[key];
    int hit = p != NULL;
    if (!p) {
        p = ring.prev;
        if (p->key >= 0) index_of[p->key] = NULL;
        p->key = key, p->value = value, index_of[key] = p;
    }
    p->prev->next = p->next, p->next->prev = p->prev;
    p->next = ring.next, p->prev = &ring, ring.next->prev = p, ring.next = p;
    return hit;
}

static uint32_t cuckoo[2][1024];
static uint32_t where(int t, uint32_t k) { return t ? (k * 2654435761u) >> 22 : (k * 40503u + 7) % 1021; }
static int cuckoo_put(uint32_t k) {
    for (int i = 0, t = 0; i < 200; i++, t = !t) {
        uint32_t *s = &cuckoo[t][where(t, k)], old = *s;
        if (old == k) return 1;
        *s = k;
        if (!old) return 1;
        k = old;
    }
    return 0;
}

int main(void) {
    Robin t = {0};
    static int32_t model[5000];
    for (int i = 0; i < 60000; i++) {
        uint32_t k = rnd_below(5000);
        uint64_t key = (uint64_t)k * 0x9e3779b97f4a7c15ull;
        switch (rnd_below(4)) {
        case 0: robin_del(&t, key), model[k] = 0; break;
        case 1: case 2: robin_put(&t, key, i + 1), model[k] = i + 1; break;
        default: {
            Slot *s = robin_get(&t, key);
            if ((s ? s->value : 0) != model[k]) { printf("wrong at %d\n", i); return 1; }
            mix((uint64_t)(s ? s->value : -1));
        }
        }
    }
    printf("robin %u of %u\n", t.n, t.cap);
    free(t.slots);
    show("robin");
    Words w = {0};
    static const char *const text = "the quick brown fox jumps over the lazy dog and the dog does not mind the fox at all because the lazy dog "
                                    "is asleep and the quick fox is gone";
    char buffer[300], *save = NULL;
    strcpy(buffer, text);
    for (char *s = strtok_r(buffer, " ", &save); s; s = strtok_r(NULL, " ", &save)) word_at(&w, s)->count++;
    for (int i = 0; i < 3000; i++) {
        char s[16];
        snprintf(s, sizeof s, "w%x", rnd_below(700));
        word_at(&w, s)->count++;
    }
    Entry **all = malloc(sizeof *all * (size_t)w.n);
    int n = 0;
    for (int i = 0; i < w.cap; i++)
        for (Entry *e = w.bucket[i]; e; e = e->next) all[n++] = e;
    qsort(all, (size_t)n, sizeof *all, by_count);
    for (int i = 0; i < n; i++) {
        if (i < 12) printf("%s=%d ", all[i]->word, all[i]->count);
        mix_text(all[i]->word), mix((uint64_t)all[i]->count);
        free(all[i]->word), free(all[i]);
    }
    printf("(%d)\n", n);
    free(all), free(w.bucket);
    show("words");
    ring.next = ring.prev = &ring;
    for (int i = 0; i < 32; i++) {
        Page *p = &pages[i];
        p->key = -1, p->next = ring.next, p->prev = &ring, ring.next->prev = p, ring.next = p;
    }
    int hits = 0;
    for (int i = 0; i < 20000; i++) hits += lru((int)(rnd_below(14) * rnd_below(14) % 200), i);
    printf("hits %d\n", hits);
    int placed = 0;
    for (uint32_t i = 1; i <= 900; i++) placed += cuckoo_put(i * 7919);
    for (int i = 0; i < 1024; i++) mix(cuckoo[0][i]), mix(cuckoo[1][i]);
    printf("placed %d\n", placed);
    show("cuckoo");
    return 5;
}

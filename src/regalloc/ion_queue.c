/* regalloc/ion_queue.c — which bundle is placed next.
 *
 * Problem   Longest first, and first in first out among the equal, with a few instructions per bundle.
 * Idea      A queue per length up to 32, eight per power of two above, and a bit for each that holds something. A queue is a
 *           list of chunks with 15 bundles each.
 * Memory    Bundles of one length lie far apart in their array, in a large function each one a miss of the caches, and so do
 *           their ranges and what the map says there. The chunks name them early enough to be fetched ahead.
 * Cost      O(1) per bundle. */
#include "regalloc/ion.h"

void ion_queue_reset(IonCtx *x) {
    vec_clear(&x->chunks);
    x->free_chunk = NONE;
    memset(x->full, 0, sizeof x->full);
}

static uint32_t queue_of(uint32_t length) {
    if (length < 32) return length;
    uint32_t e = 63 - u64_clz(length);
    return 32 + (e - 5) * 8 + (length >> (e - 3) & 7);
}

static uint32_t new_chunk(IonCtx *x) {
    uint32_t c = x->free_chunk;
    if (c != NONE) {
        x->free_chunk = x->chunks.p[c].next;
        return c;
    }
    (void)vec_extend(x->mem, &x->chunks, 1);
    return x->chunks.n - 1;
}

static void free_chunk(IonCtx *x, uint32_t c) {
    x->chunks.p[c].next = x->free_chunk;
    x->free_chunk = c;
}

void ion_enqueue(IonCtx *x, uint32_t bundle, uint32_t length) {
    uint32_t k = queue_of(length);
    IonQueue *q = &x->queues[k];
    if (!(x->full[k / 64] >> (k & 63) & 1)) {
        x->full[k / 64] |= (uint64_t)1 << (k & 63);
        q->head = q->tail = new_chunk(x);
        q->head_at = q->tail_at = 0;
    } else if (q->tail_at == ION_CHUNK) {
        uint32_t c = new_chunk(x);
        x->chunks.p[q->tail].next = c;
        q->tail = c;
        q->tail_at = 0;
    }
    x->chunks.p[q->tail].bundle[q->tail_at++] = bundle;
}

/* The bundle that is `ahead` places behind the queue's first, less than a chunk; NONE: there is none. */
static uint32_t later(const IonCtx *x, const IonQueue *q, uint32_t ahead) {
    uint32_t c = q->head, at = q->head_at + ahead;
    if (at >= ION_CHUNK) {
        if (c == q->tail) return NONE;
        c = x->chunks.p[c].next;
        at -= ION_CHUNK;
    }
    return c == q->tail && at >= q->tail_at ? NONE : x->chunks.p[c].bundle[at];
}

/* Inlined by order: gcc takes a function that only fetches ahead for one without an effect, and drops it. */
__attribute__((always_inline)) static inline void fetch_ahead(const IonCtx *x, const IonQueue *q) {
    uint32_t b = later(x, q, 2);
    if (b == NONE) return;
    __builtin_prefetch(&x->occ.any[0].p[x->r.p[x->b.p[b].first].from]);
    if ((b = later(x, q, 6)) == NONE) return;
    const IonRange *r = &x->r.p[x->b.p[b].first];
    __builtin_prefetch(r);
    __builtin_prefetch(&r->flags);
    if ((b = later(x, q, 12)) == NONE) return;
    __builtin_prefetch(&x->b.p[b]);
    __builtin_prefetch(&x->b.p[b].minimal);
}

uint32_t ion_dequeue(IonCtx *x) {
    uint32_t w = sizeof x->full / sizeof *x->full - 1;
    while (w > 0 && !x->full[w]) w--;
    if (!x->full[w]) return NONE;
    uint32_t k = w * 64 + 63 - u64_clz(x->full[w]);
    IonQueue *q = &x->queues[k];
    uint32_t c = q->head, bundle = x->chunks.p[c].bundle[q->head_at++];
    if (c == q->tail && q->head_at == q->tail_at) {
        x->full[w] &= ~((uint64_t)1 << (k & 63));
        free_chunk(x, c);
        return bundle;
    }
    if (q->head_at == ION_CHUNK) {
        q->head = x->chunks.p[c].next;
        q->head_at = 0;
        free_chunk(x, c);
    }
    fetch_ahead(x, q);
    return bundle;
}

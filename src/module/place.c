/* module/place.c — compiled items to one stretch of code with its tables.
 *
 * Problem     Copying some megabytes after all threads are done costs as much as compiling a twentieth of the module, on one thread.
 * Idea        Sizes alone say where everything goes. So one short pass places all items, then any number of threads copy, each the
 *             next few items; no two write to the same bytes.
 * Cost        linear; threads are started again if there is enough to copy. */
#include <pthread.h>
#include <stdatomic.h>
#include "module/unit_int.h"

enum {
    AT_ONCE = 64,             /* items that a thread takes */
    WORTH_A_THREAD = 1 << 18, /* bytes of code */
    MOST_THREADS = 64
};

typedef struct Start { /* of an item's part of each table */
    uint32_t trap, trap_byte, loc, loc_byte, unwind;
} Start;

typedef struct Placing {
    CodeUnit *u;
    const UnitItem *items;
    const uint32_t *at;
    const Start *starts;
    uint32_t n, imported;
    atomic_uint next;
} Placing;

static void patch(uint8_t *code, uint32_t at, int64_t target, int64_t addend) {
    int32_t v = (int32_t)(target + addend - at);
    memcpy(code + at, &v, 4);
}

static bool is_function(const MachReloc *r) {
    return r->name.kind == CLIF_NAME_USER && r->name.a == 0;
}

static void copy_map(const Codemap *m, uint32_t by, UnitMap *to, uint32_t block, uint32_t byte) {
    if (m->n) codemap_copy(m, by, to->index.p + block, m->size ? to->bytes.p + byte : NULL, byte);
}

static void copy_item(const Placing *p, uint32_t i) {
    const UnitItem *it = &p->items[i];
    CodeUnit *u = p->u;
    uint32_t at = p->at[i], before = i ? p->at[i - 1] + p->items[i - 1].size : 0;
    memset(u->code.p + before, 0xCC, at - before);
    memcpy(u->code.p + at, it->code, it->size);
    const Start *s = &p->starts[i];
    copy_map(&it->traps, at, &u->traps, s->trap, s->trap_byte);
    copy_map(&it->locs, at, &u->locs, s->loc, s->loc_byte);
    MachUnwind *step = it->nunwind ? u->unwind.p + s->unwind : NULL;
    for (uint32_t k = 0; k < it->nunwind; k++) {
        step[k] = it->unwind[k];
        step[k].offset += at;
    }
    for (uint32_t k = 0; k < it->nrelocs; k++) {
        const MachReloc *r = &it->relocs[k];
        if (!is_function(r)) continue;
        COT_ASSERT(r->kind == MACH_RELOC_X86_CALL_PCREL4 || r->kind == MACH_RELOC_X86_PCREL4);
        patch(u->code.p, at + r->offset, p->at[r->name.b - p->imported], r->addend);
    }
}

static void *copy_items(void *arg) {
    Placing *p = arg;
    for (;;) {
        uint32_t i = atomic_fetch_add(&p->next, AT_ONCE), end = i + AT_ONCE;
        if (i >= p->n) return NULL;
        for (; i < end && i < p->n; i++) copy_item(p, i);
    }
}

static void copy_all(Placing *p, uint32_t threads) {
    pthread_t more[MOST_THREADS];
    uint32_t worth = 1 + p->u->code.n / WORTH_A_THREAD, started = 1;
    if (threads > worth) threads = worth;
    if (threads > MOST_THREADS) threads = MOST_THREADS;
    for (; started < threads; started++)
        if (pthread_create(&more[started], NULL, copy_items, p)) break;
    copy_items(p);
    for (uint32_t i = 1; i < started; i++) pthread_join(more[i], NULL);
}

bool unit_place(CodeUnit *u, const UnitItem *items, uint32_t n, uint32_t imported, uint32_t threads,
                uint32_t *at, Diag *d) {
    Mem *m = u->mem;
    size_t room = (n + (size_t)1) * sizeof(Start);
    Start *starts = mem_alloc(m, room), sum = {0};
    uint64_t total = 0;
    for (uint32_t i = 0; i < n; i++) {
        const UnitItem *it = &items[i];
        total = (total + it->align - 1) & ~(uint64_t)(it->align - 1);
        at[i] = (uint32_t)total;
        total += it->size;
        if (total > INT32_MAX - (1 << 20)) {
            mem_free(m, starts, room);
            return diag_msg(d, DIAG_LIMIT, "module needs more than 2 GiB of machine code");
        }
        starts[i] = sum;
        sum.trap += it->traps.n;
        sum.trap_byte += it->traps.size;
        sum.loc += it->locs.n;
        sum.loc_byte += it->locs.size;
        sum.unwind += it->nunwind;
        for (uint32_t k = 0; k < it->nrelocs; k++) {
            const MachReloc *r = &it->relocs[k];
            if (is_function(r)) continue;
            COT_ASSERT(r->name.kind == CLIF_NAME_LIBCALL);
            vec_push(m, &u->relocs,
                     (UnitReloc){at[i] + r->offset, r->kind, (uint8_t)r->name.a, r->addend});
        }
    }
    (void)vec_extend(m, &u->code, total);
    (void)vec_extend(m, &u->traps.index, sum.trap);
    (void)vec_extend(m, &u->traps.bytes, sum.trap_byte);
    (void)vec_extend(m, &u->locs.index, sum.loc);
    (void)vec_extend(m, &u->locs.bytes, sum.loc_byte);
    (void)vec_extend(m, &u->unwind, sum.unwind);
    Placing p = {.u = u, .items = items, .at = at, .starts = starts, .n = n, .imported = imported};
    copy_all(&p, threads);
    mem_free(m, starts, room);
    return true;
}

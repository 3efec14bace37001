/* mach/machbuf.c — see machbuf.h for the idea.
 *
 * Invariants
 *  1. label_off[l] is final once bound, except that truncating the tail moves the label bound at the old tail to
 *     the new one, and that a label may become an alias of another, after which its offset is never read: when
 *     both are bound at one place, and by threading. So a place has at most one label that is not an alias.
 *  2. `branches` holds a contiguous run of branches that ends at code.n, or is stale (its last end < code.n)
 *     and is emptied at the next branch.
 *  3. the label bound where a branch starts is kept with the branch, so that threading finds it.
 *  4. alias chains are acyclic: a label is aliased only to a target that does not resolve to its own place.
 * Cost: each branch is pushed and popped once, in constant time apart from alias chains, which are compressed. */
#include "mach/machbuf.h"

void machbuf_init(MachBuf *b, Mem *m) {
    memset(b, 0, sizeof *b);
    b->mem = m;
}

void machbuf_free(MachBuf *b) {
    Mem *m = b->mem;
    vec_free(m, &b->code);
    vec_free(m, &b->label_off);
    vec_free(m, &b->label_alias);
    vec_free(m, &b->fixups);
    vec_free(m, &b->branches);
    vec_free(m, &b->relocs);
    vec_free(m, &b->traps);
    vec_free(m, &b->srclocs);
    vec_free(m, &b->calls);
    vec_free(m, &b->handlers);
    vec_free(m, &b->unwind);
    vec_free(m, &b->trap_stubs);
}

void machbuf_reset(MachBuf *b, const MachLabelKind *kinds, uint32_t num_block_labels) {
    b->kinds = kinds;
    vec_clear(&b->code);
    vec_clear(&b->label_off);
    vec_clear(&b->label_alias);
    vec_clear(&b->fixups);
    vec_clear(&b->branches);
    vec_clear(&b->relocs);
    vec_clear(&b->traps);
    vec_clear(&b->srclocs);
    vec_clear(&b->calls);
    vec_clear(&b->handlers);
    vec_clear(&b->unwind);
    vec_clear(&b->trap_stubs);
    b->tail_label = MACH_LABEL_NONE;
    b->tail_off = 0;
    b->dead_off = UINT32_MAX;
    b->loc_start = 0;
    b->loc = CLIF_NONE;
    b->align = 0;
    uint32_t *off = vec_extend(b->mem, &b->label_off, num_block_labels);
    uint32_t *alias = vec_extend(b->mem, &b->label_alias, num_block_labels);
    if (num_block_labels) {
        memset(off, 0xFF, num_block_labels * sizeof *off);
        memset(alias, 0xFF, num_block_labels * sizeof *alias);
    }
}

MachLabel machbuf_new_label(MachBuf *b) {
    vec_push(b->mem, &b->label_off, UINT32_MAX);
    vec_push(b->mem, &b->label_alias, MACH_LABEL_NONE);
    return b->label_off.n - 1;
}

/* The label at the end of the alias chain; compresses the path. */
static MachLabel resolve(MachBuf *b, MachLabel l) {
    MachLabel root = l;
    while (b->label_alias.p[root] != MACH_LABEL_NONE) root = b->label_alias.p[root];
    while (l != root) {
        MachLabel next = b->label_alias.p[l];
        b->label_alias.p[l] = root;
        l = next;
    }
    return root;
}

static uint32_t target_offset(MachBuf *b, MachLabel l) {
    return b->label_off.p[resolve(b, l)];
}

/* A label bound before the current offset is no longer at the tail. */
static void settle_tail(MachBuf *b) {
    if (b->tail_off != b->code.n) {
        b->tail_label = MACH_LABEL_NONE;
        b->tail_off = b->code.n;
    }
}

/* Label l, which is bound at code.n and no alias, joins the tail. */
static void add_to_tail(MachBuf *b, MachLabel l) {
    b->label_off.p[l] = b->code.n;
    if (b->tail_label == MACH_LABEL_NONE)
        b->tail_label = l;
    else
        b->label_alias.p[l] = b->tail_label;
}

static void drop_stale_branches(MachBuf *b) {
    if (b->branches.n && vec_last(&b->branches).end != b->code.n) vec_clear(&b->branches);
}

/* Deletes the last branch, which ends at code.n. Labels bound there, and at its start, are at the new tail. */
static void truncate_last(MachBuf *b) {
    MachBranch br = vec_pop(&b->branches);
    settle_tail(b);
    b->code.n = br.start;
    COT_DASSERT(br.fixup == b->fixups.n - 1);
    b->fixups.n = br.fixup;
    MachLabel after = b->tail_label;
    b->tail_label = br.label;
    b->tail_off = br.start;
    if (after != MACH_LABEL_NONE) add_to_tail(b, after);
    if (b->loc_start > br.start) b->loc_start = br.start;
    while (b->srclocs.n && vec_last(&b->srclocs).end > br.start) {
        vec_last(&b->srclocs).end = br.start;
        if (vec_last(&b->srclocs).start >= br.start) b->srclocs.n--;
    }
}

static void simplify(MachBuf *b) {
    drop_stale_branches(b);
    while (b->branches.n) {
        MachBranch *br = &vec_last(&b->branches);
        uint32_t here = b->code.n;
        if (target_offset(b, br->target) == here) { /* jump to the next instruction */
            truncate_last(b);
            continue;
        }
        if (br->ninverted) return; /* conditional: nothing more to learn */
        if (br->label != MACH_LABEL_NONE) {
            if (target_offset(b, br->target) == br->start) return; /* jumps to itself */
            b->label_alias.p[br->label] = resolve(b, br->target);
            br->label = MACH_LABEL_NONE;
        }
        if (b->dead_off == br->start) { /* nothing falls in, nothing jumps here */
            truncate_last(b);
            continue;
        }
        if (b->branches.n < 2) return;
        MachBranch *prev = &b->branches.p[b->branches.n - 2];
        if (prev->end != br->start) return;
        if (!prev->ninverted) {
            truncate_last(b);
            continue;
        }
        if (target_offset(b, prev->target) != here) return;
        /* jcc next; jmp T; next:  =>  jncc T; next: */
        MachLabel target = br->target;
        truncate_last(b);
        prev = &vec_last(&b->branches);
        uint32_t len = prev->end - prev->start;
        uint8_t old[sizeof prev->inverted];
        memcpy(old, b->code.p + prev->start, len);
        memcpy(b->code.p + prev->start, prev->inverted, len);
        memcpy(prev->inverted, old, len);
        prev->target = target;
        b->fixups.p[prev->fixup].label = target;
    }
}

void machbuf_bind(MachBuf *b, MachLabel l) {
    COT_DASSERT(b->label_off.p[l] == UINT32_MAX);
    settle_tail(b);
    add_to_tail(b, l);
    simplify(b);
}

uint8_t *machbuf_pad(MachBuf *b, uint32_t n) {
    uint32_t at = b->code.n;
    if (b->tail_label == MACH_LABEL_NONE || b->tail_off != at) return NULL;
    uint8_t *p = vec_extend(b->mem, &b->code, n);
    vec_clear(&b->branches);
    b->label_off.p[b->tail_label] = b->tail_off = b->code.n;
    if (b->dead_off == at) b->dead_off = b->code.n;
    return p;
}

void machbuf_dead_end(MachBuf *b) {
    b->dead_off = b->code.n;
}

void machbuf_landing(MachBuf *b) {
    vec_clear(&b->branches);
    b->dead_off = UINT32_MAX;
}

void machbuf_use_label(MachBuf *b, uint32_t field_offset, MachLabel l, uint8_t kind) {
    vec_push(b->mem, &b->fixups, (MachFixup){field_offset, l, kind});
}

static void push_branch(MachBuf *b, uint32_t len, uint32_t field_at, MachLabel target, uint8_t kind,
                        const uint8_t *inv) {
    drop_stale_branches(b);
    settle_tail(b);
    uint32_t at = b->code.n;
    MachBranch br = {.start = at,
                     .end = at + len,
                     .target = target,
                     .fixup = b->fixups.n,
                     .label = b->tail_label};
    COT_DASSERT(len <= sizeof br.inverted);
    if (inv) {
        memcpy(br.inverted, inv, len);
        br.ninverted = (uint8_t)len;
    }
    machbuf_use_label(b, at + field_at, target, kind);
    vec_push(b->mem, &b->branches, br);
}

void machbuf_uncond_branch(MachBuf *b, uint32_t len, uint32_t field_at, MachLabel target,
                           uint8_t kind) {
    push_branch(b, len, field_at, target, kind, NULL);
}

void machbuf_cond_branch(MachBuf *b, uint32_t len, uint32_t field_at, MachLabel target,
                         uint8_t kind, const uint8_t *inverted) {
    push_branch(b, len, field_at, target, kind, inverted);
}

void machbuf_reloc(MachBuf *b, uint32_t offset, MachRelocKind k, ClifName n, int64_t addend) {
    vec_push(b->mem, &b->relocs,
             (MachReloc){.offset = offset, .kind = (uint8_t)k, .addend = addend, .name = n});
}

void machbuf_trap(MachBuf *b, ClifTrap code) {
    vec_push(b->mem, &b->traps, (MachTrap){b->code.n, code});
}

void machbuf_call_site(MachBuf *b) {
    vec_push(b->mem, &b->calls, (MachCallSite){b->code.n, b->handlers.n, 0});
}

void machbuf_handler(MachBuf *b, MachHandler h) {
    vec_push(b->mem, &b->handlers, h);
    vec_last(&b->calls).num_handlers++;
}

void machbuf_unwind(MachBuf *b, MachUnwindKind kind, RaPReg reg, int32_t value) {
    vec_push(b->mem, &b->unwind, (MachUnwind){b->code.n, (uint8_t)kind, reg, value});
}

void machbuf_end_unwind(MachBuf *b) {
    if (b->unwind.n && vec_last(&b->unwind).kind == MACH_UNWIND_RECALL &&
        vec_last(&b->unwind).offset == b->code.n)
        b->unwind.n--;
}

void machbuf_start_loc(MachBuf *b, ClifSrcLoc loc) {
    if (loc == b->loc) return;
    machbuf_end_loc(b);
    b->loc = loc;
    b->loc_start = b->code.n;
}

void machbuf_end_loc(MachBuf *b) {
    if (b->loc != CLIF_NONE && b->code.n > b->loc_start) {
        MachSrcLoc *last = b->srclocs.n ? &vec_last(&b->srclocs) : NULL;
        if (last && last->end == b->loc_start && last->loc == b->loc)
            last->end = b->code.n;
        else
            vec_push(b->mem, &b->srclocs, (MachSrcLoc){b->loc_start, b->code.n, b->loc});
    }
    b->loc = CLIF_NONE;
    b->loc_start = b->code.n;
}

MachLabel machbuf_trap_label(MachBuf *b, ClifTrap code) {
    if (b->trap_stubs.n) { /* the same check often has two branches */
        struct MachTrapStub *s = &vec_last(&b->trap_stubs);
        if (s->code == code && s->loc == b->loc) {
            s->last = b->code.n;
            return s->label;
        }
    }
    MachLabel l = machbuf_new_label(b);
    struct MachTrapStub s = {l, code, b->loc, b->code.n, b->code.n};
    vec_push(b->mem, &b->trap_stubs, s);
    return l;
}

bool machbuf_finish(MachBuf *b, Diag *d) {
    machbuf_end_loc(b);
    if (b->code.n > INT32_MAX)
        return diag_msg(d, DIAG_LIMIT, "function too large: %u bytes of machine code", b->code.n);
    for (uint32_t i = 0; i < b->fixups.n; i++) {
        MachFixup *fx = &b->fixups.p[i];
        uint32_t off = target_offset(b, fx->label);
        if (off == UINT32_MAX) COT_BUG("label %u is used and never bound", fx->label);
        const MachLabelKind *k = &b->kinds[fx->kind];
        int64_t delta = (int64_t)off - ((int64_t)fx->offset + k->pc_bias);
        if (delta > k->max_pos || delta < -k->max_neg)
            return diag_msg(d, DIAG_LIMIT, "branch out of reach (%lld bytes)", (long long)delta);
        k->patch(b->code.p + fx->offset, delta);
    }
    for (uint32_t i = 0; i < b->handlers.n; i++)
        if (b->handlers.p[i].kind != MACH_HANDLER_CONTEXT)
            b->handlers.p[i].offset = target_offset(b, b->handlers.p[i].offset);
    return true;
}

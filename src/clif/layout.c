/* clif/layout.c — the order of blocks and of the instructions in them: two doubly linked lists over the
 * dense arrays, so that every insertion and removal is O(1) and nothing moves. */
#include "clif/clif.h"

/* Links b between prev and next (either may be CLIF_NONE). */
static void link_block(ClifFunc *f, uint32_t b, uint32_t prev, uint32_t next) {
    ClifBlockData *d = &f->blocks.p[b];
    COT_DASSERT(!(d->flags & CLIF_BLOCK_INSERTED));
    d->prev = prev;
    d->next = next;
    d->flags |= CLIF_BLOCK_INSERTED;
    *(prev == CLIF_NONE ? &f->first_block : &f->blocks.p[prev].next) = b;
    *(next == CLIF_NONE ? &f->last_block : &f->blocks.p[next].prev) = b;
}

void clif_append_block(ClifFunc *f, ClifBlock b) {
    link_block(f, b.i, f->last_block, CLIF_NONE);
}
void clif_insert_block_after(ClifFunc *f, ClifBlock b, ClifBlock after) {
    link_block(f, b.i, after.i, f->blocks.p[after.i].next);
}
void clif_insert_block_before(ClifFunc *f, ClifBlock b, ClifBlock before) {
    link_block(f, b.i, f->blocks.p[before.i].prev, before.i);
}

void clif_remove_block(ClifFunc *f, ClifBlock b) {
    ClifBlockData *d = &f->blocks.p[b.i];
    COT_DASSERT(d->flags & CLIF_BLOCK_INSERTED);
    *(d->prev == CLIF_NONE ? &f->first_block : &f->blocks.p[d->prev].next) = d->next;
    *(d->next == CLIF_NONE ? &f->last_block : &f->blocks.p[d->next].prev) = d->prev;
    d->prev = d->next = CLIF_NONE;
    d->flags &= ~(uint32_t)CLIF_BLOCK_INSERTED;
}

static void link_inst(ClifFunc *f, uint32_t i, uint32_t b, uint32_t prev, uint32_t next) {
    COT_DASSERT(f->links.p[i].block == CLIF_NONE);
    f->links.p[i] = (ClifInstLink){prev, next, b};
    *(prev == CLIF_NONE ? &f->blocks.p[b].first : &f->links.p[prev].next) = i;
    *(next == CLIF_NONE ? &f->blocks.p[b].last : &f->links.p[next].prev) = i;
}

void clif_append_inst(ClifFunc *f, ClifInst i, ClifBlock b) {
    link_inst(f, i.i, b.i, f->blocks.p[b.i].last, CLIF_NONE);
}
void clif_insert_inst_before(ClifFunc *f, ClifInst i, ClifInst before) {
    ClifInstLink l = f->links.p[before.i];
    link_inst(f, i.i, l.block, l.prev, before.i);
}

void clif_remove_inst(ClifFunc *f, ClifInst i) {
    ClifInstLink l = f->links.p[i.i];
    COT_DASSERT(l.block != CLIF_NONE);
    *(l.prev == CLIF_NONE ? &f->blocks.p[l.block].first : &f->links.p[l.prev].next) = l.next;
    *(l.next == CLIF_NONE ? &f->blocks.p[l.block].last : &f->links.p[l.next].prev) = l.prev;
    f->links.p[i.i] = (ClifInstLink){CLIF_NONE, CLIF_NONE, CLIF_NONE};
}

/* object/cfi.c — unwinding steps to DWARF call frame information (DWARF 5, 6.4; the .eh_frame form: LSB Core, 10.6).
 *
 *   .eh_frame:  common entry (CIE): factors, return column, the rules at a function's start
 *               an entry per function (FDE): back-distance to the CIE | start, size | rules as the code goes on
 *
 * A step (MachUnwind) becomes an advance to its offset, if that is further on, and one rule. Each entry is padded to 8 bytes. */
#include "object/cfi.h"
#include "object/bytes.h"

enum {
    DW_CFA_nop = 0,
    DW_CFA_advance_loc1 = 2,
    DW_CFA_advance_loc2 = 3,
    DW_CFA_advance_loc4 = 4,
    DW_CFA_offset_extended = 5,
    DW_CFA_same_value = 8,
    DW_CFA_register = 9,
    DW_CFA_remember_state = 10,
    DW_CFA_restore_state = 11,
    DW_CFA_def_cfa = 12,
    DW_CFA_def_cfa_register = 13,
    DW_CFA_def_cfa_offset = 14,
    DW_CFA_offset_extended_sf = 17,
    DW_CFA_def_cfa_sf = 18,
    DW_CFA_advance_loc = 0x40,
    DW_CFA_offset = 0x80,
    DW_EH_PE_pcrel_sdata4 = 0x1b
};

static void put(Cfi *c, uint64_t x, unsigned n) {
    bytes_put(c->mem, &c->bytes, x, n);
}
static void put_u(Cfi *c, uint64_t x) {
    leb_put_u64(c->mem, &c->bytes, x);
}

/* Pads the entry that starts at `start` and writes its length. */
static void finish(Cfi *c, uint32_t start) {
    while ((c->bytes.n - start) % 8) put(c, DW_CFA_nop, 1);
    bytes_set(c->bytes.p + start, c->bytes.n - start - 4, 4);
}

/* The register (a DWARF number) is in memory at the frame's address + value. */
static void put_offset(Cfi *c, uint32_t reg, int32_t value) {
    int32_t align = c->isa->dwarf->data_align, factored = value / align;
    COT_ASSERT(factored * align == value);
    if (factored < 0) {
        put(c, DW_CFA_offset_extended_sf, 1);
        put_u(c, reg);
        leb_put_s64(c->mem, &c->bytes, factored);
        return;
    }
    put(c, reg < 64 ? DW_CFA_offset | reg : DW_CFA_offset_extended, 1);
    if (reg >= 64) put_u(c, reg);
    put_u(c, (uint64_t)factored);
}

static void put_common(Cfi *c) {
    const MachDwarf *w = c->isa->dwarf;
    put(c, 0, 4);                            /* length */
    put(c, c->absolute ? UINT32_MAX : 0, 4); /* this is a CIE */
    put(c, 1, 1);                            /* version */
    if (c->absolute)
        put(c, 0, 1);
    else
        bytes_string(c->mem, &c->bytes, "zR", 2); /* the next but three: encoding */
    put_u(c, w->code_align);
    leb_put_s64(c->mem, &c->bytes, w->data_align);
    put_u(c, w->return_column);
    if (!c->absolute) {
        put_u(c, 1);
        put(c, DW_EH_PE_pcrel_sdata4, 1);
    }
    put(c, DW_CFA_def_cfa, 1);
    put_u(c, w->reg[w->cfa_reg]);
    put_u(c, (uint64_t)w->cfa_offset);
    if (w->return_offset) put_offset(c, w->return_column, w->return_offset);
    finish(c, 0);
}

void cfi_init(Cfi *c, Mem *m, const IsaVtable *isa) {
    memset(c, 0, sizeof *c);
    c->mem = m;
    c->isa = isa;
}
void cfi_free(Cfi *c) {
    vec_free(c->mem, &c->bytes);
    vec_free(c->mem, &c->sites);
}
void cfi_clear(Cfi *c) {
    vec_clear(&c->bytes);
    vec_clear(&c->sites);
}

static void advance(Cfi *c, uint32_t by) {
    by /= c->isa->dwarf->code_align;
    if (!by) return;
    if (by < 64) {
        put(c, DW_CFA_advance_loc | by, 1);
    } else {
        unsigned n = by <= UINT8_MAX ? 1 : by <= UINT16_MAX ? 2 : 4;
        put(c,
            n == 1   ? DW_CFA_advance_loc1
            : n == 2 ? DW_CFA_advance_loc2
                     : DW_CFA_advance_loc4,
            1);
        put(c, by, n);
    }
}

typedef struct Cfa {
    RaPReg reg;
    int32_t value;
} Cfa;

static void put_cfa(Cfi *c, const MachUnwind *u, Cfa *now) {
    const MachDwarf *w = c->isa->dwarf;
    if (u->value < 0) {
        COT_ASSERT(u->value % w->data_align == 0);
        put(c, DW_CFA_def_cfa_sf, 1);
        put_u(c, w->reg[u->reg]);
        leb_put_s64(c->mem, &c->bytes, u->value / w->data_align);
    } else if (u->reg == now->reg) {
        put(c, DW_CFA_def_cfa_offset, 1);
        put_u(c, (uint64_t)u->value);
    } else {
        put(c, u->value == now->value ? DW_CFA_def_cfa_register : DW_CFA_def_cfa, 1);
        put_u(c, w->reg[u->reg]);
        if (u->value != now->value) put_u(c, (uint64_t)u->value);
    }
    *now = (Cfa){u->reg, u->value};
}

void cfi_add(Cfi *c, const LinkDef *def) {
    const MachDwarf *w = c->isa->dwarf;
    if (!def->nunwind) return;
    if (!c->bytes.n) put_common(c);
    uint32_t start = c->bytes.n;
    put(c, 0, 4);
    put(c, c->absolute ? 0 : start + 4, 4); /* the CIE is at 0 */
    vec_push(c->mem, &c->sites, (CfiSite){c->bytes.n, def->sym});
    put(c, 0, c->absolute ? 8 : 4);
    put(c, def->size, c->absolute ? 8 : 4);
    if (!c->absolute) put_u(c, 0); /* no further data */
    uint32_t at = 0;
    Cfa now = {w->cfa_reg, w->cfa_offset}, remembered = now;
    for (uint32_t i = 0; i < def->nunwind; i++) {
        const MachUnwind *u = &def->unwind[i];
        advance(c, u->offset - at);
        at = u->offset;
        switch ((MachUnwindKind)u->kind) {
        case MACH_UNWIND_CFA: put_cfa(c, u, &now); break;
        case MACH_UNWIND_SAVED: put_offset(c, w->reg[u->reg], u->value); break;
        case MACH_UNWIND_RETURN_ADDRESS: put_offset(c, w->return_column, u->value); break;
        case MACH_UNWIND_RETURN_IN:
            put(c, DW_CFA_register, 1);
            put_u(c, w->return_column);
            put_u(c, w->reg[u->reg]);
            break;
        case MACH_UNWIND_KEPT:
            put(c, DW_CFA_same_value, 1);
            put_u(c, w->reg[u->reg]);
            break;
        case MACH_UNWIND_REMEMBER:
            put(c, DW_CFA_remember_state, 1);
            remembered = now;
            break;
        case MACH_UNWIND_RECALL:
            put(c, DW_CFA_restore_state, 1);
            now = remembered;
            break;
        }
    }
    finish(c, start);
}

void cfi_end(Cfi *c) {
    if (c->bytes.n && !c->absolute) put(c, 0, 4);
}

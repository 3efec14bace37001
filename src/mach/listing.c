/* mach/listing.c — a compiled function as text: each machine instruction with the bytes that it became, then what the
 * code needs beside its bytes.
 *
 *     block0:
 *         args =%rdi =%rsi
 *         leaq (%rdi,%rsi,1), %rax                          48 8d 04 37
 *     traps:
 *         0x8 int_divz
 *
 * Emission leaves a mark where each piece begins. Branch simplification takes bytes back, so marks beyond the end of the
 * code move back to it before the next one is set; a branch that went away has no bytes left. A line's bytes are those up to
 * the next mark. Constants that an instruction points to are `const+offset`, frame slots `slotN` and `ssN`; what the
 * displacement became is in the bytes. requires: the allocated function and its finished buffer. */
#include "clif/opspec.h"
#include "mach/mach_int.h"

enum { BYTES_COLUMN = 54, BYTES_PER_LINE = 16 };

void listing_mark(MachCtx *c, ListKind kind, uint32_t index) {
    uint32_t at = machbuf_offset(&c->buf);
    for (uint32_t k = c->marks.n; k-- > 0 && c->marks.p[k].at > at;) c->marks.p[k].at = at;
    vec_push(c->mem, &c->marks, (ListMark){at, index, (uint8_t)kind});
}

static void put_bytes(StrBuf *o, const uint8_t *p, uint32_t n, uint32_t column) {
    for (uint32_t k = 0; k < n; k++) {
        if (k && k % BYTES_PER_LINE == 0) {
            sb_putc(o, '\n');
            column = 0;
        }
        if (k % BYTES_PER_LINE == 0) do
                sb_putc(o, ' ');
            while (++column < BYTES_COLUMN);
        sb_printf(o, k % BYTES_PER_LINE ? " %02x" : "%02x", p[k]);
    }
    sb_putc(o, '\n');
}

static void put_alloc(const MachCtx *c, RaAlloc a, StrBuf *o) {
    char name[16];
    if (ra_is_reg(a))
        sb_puts(o, c->isa->preg_name(ra_alloc_preg(a), 8, name));
    else
        sb_printf(o, "slot%u", ra_alloc_slot_index(a));
}

static void put_text(const MachCtx *c, const ListMark *m, const RaFunc *rf, const RaOutput *ra,
                     StrBuf *o) {
    char name[16];
    switch ((ListKind)m->kind) {
    case LIST_PROLOGUE: sb_puts(o, "prologue"); break;
    case LIST_INST: {
        uint32_t first = rf->op_start[m->index];
        c->isa->print(&c->set, downvec_data(&c->vc.insts) + m->index,
                      rf->ops ? rf->ops + first : NULL, ra->allocs ? ra->allocs + first : NULL,
                      rf->op_start[m->index + 1] - first, o);
        break;
    }
    case LIST_EDIT:
        sb_puts(o, "move ");
        put_alloc(c, ra->edits[m->index].from, o);
        sb_puts(o, ", ");
        put_alloc(c, ra->edits[m->index].to, o);
        break;
    case LIST_TRAP:
        sb_printf(o, "trap %s", clif_trap_name(c->buf.trap_stubs.p[m->index].code, name));
        break;
    case LIST_FILL: sb_puts(o, "fill"); break;
    case LIST_CONSTANTS: sb_puts(o, "constants"); break;
    case LIST_BLOCK:
    case LIST_PADDING: break;
    }
}

static void list_code(const MachCtx *c, const RaFunc *rf, const RaOutput *ra, StrBuf *o) {
    const uint8_t *code = c->buf.code.p;
    for (uint32_t k = 0; k < c->marks.n; k++) {
        const ListMark *m = &c->marks.p[k];
        uint32_t end = k + 1 < c->marks.n ? m[1].at : c->buf.code.n, line = o->n;
        if (m->kind == LIST_PADDING) continue;
        if (m->kind == LIST_BLOCK) {
            sb_printf(o, "block%u:\n", m->index);
            continue;
        }
        if (m->kind == LIST_PROLOGUE && end == m->at) continue;
        sb_puts(o, "    ");
        put_text(c, m, rf, ra, o);
        put_bytes(o, code + m->at, end - m->at, o->n - line);
    }
}

static const char *reloc_name(MachRelocKind k) {
    switch (k) {
    case MACH_RELOC_ABS8: return "abs8";
    case MACH_RELOC_ABS4: return "abs4";
    case MACH_RELOC_X86_PCREL4: return "x86_pcrel4";
    case MACH_RELOC_X86_CALL_PCREL4: return "x86_call_pcrel4";
    case MACH_RELOC_X86_CALL_PLT: return "x86_call_plt";
    case MACH_RELOC_X86_GOTPCREL4: return "x86_gotpcrel4";
    case MACH_RELOC_X86_MOV_GOTPCREL4: return "x86_mov_gotpcrel4";
    case MACH_RELOC_ARM64_CALL: return "arm64_call";
    case MACH_RELOC_ELF_X86_TLSGD: return "elf_x86_tlsgd";
    case MACH_RELOC_MACHO_X86_TLV: return "macho_x86_tlv";
    case MACH_RELOC_COFF_X86_SECREL: return "coff_x86_secrel";
    }
    return "";
}

static void list_handler(const MachCtx *c, const MachHandler *h, StrBuf *o) {
    char name[16];
    switch ((MachHandlerKind)h->kind) {
    case MACH_HANDLER_TAG: sb_printf(o, " tag%u 0x%x", h->tag, h->offset); break;
    case MACH_HANDLER_DEFAULT: sb_printf(o, " default 0x%x", h->offset); break;
    case MACH_HANDLER_CONTEXT:
        if (h->reg != RA_PREG_NONE)
            sb_printf(o, " context %s", c->isa->preg_name(h->reg, 8, name));
        else
            sb_printf(o, " context sp+%u", h->offset);
        break;
    }
}

static void list_rest(const MachCtx *c, const ClifFunc *f, uint32_t frame_size, StrBuf *o) {
    const MachBuf *b = &c->buf;
    char name[16];
    if (b->traps.n) sb_puts(o, "traps:\n");
    for (uint32_t k = 0; k < b->traps.n; k++)
        sb_printf(o, "    0x%x %s\n", b->traps.p[k].offset,
                  clif_trap_name(b->traps.p[k].code, name));
    if (b->relocs.n) sb_puts(o, "relocations:\n");
    for (uint32_t k = 0; k < b->relocs.n; k++) {
        const MachReloc *r = &b->relocs.p[k];
        sb_printf(o, "    0x%x %s ", r->offset, reloc_name((MachRelocKind)r->kind));
        clif_print_name(f, r->name, o);
        if (r->addend) sb_printf(o, " %+lld", (long long)r->addend);
        sb_putc(o, '\n');
    }
    bool any = false;
    for (uint32_t k = 0; k < b->calls.n; k++) {
        const MachCallSite *s = &b->calls.p[k];
        if (!s->num_handlers) continue;
        if (!any) sb_puts(o, "handlers of calls that return to:\n");
        any = true;
        sb_printf(o, "    0x%x", s->ret_offset);
        for (uint32_t h = 0; h < s->num_handlers; h++)
            list_handler(c, &b->handlers.p[s->handlers + h], o);
        sb_putc(o, '\n');
    }
    if (frame_size) sb_printf(o, "frame: %u bytes\n", frame_size);
}

static void list_unwind(const MachCtx *c, StrBuf *o) {
    const MachBuf *b = &c->buf;
    char name[16];
    for (uint32_t k = 0; k < b->unwind.n; k++) {
        const MachUnwind *u = &b->unwind.p[k];
        sb_printf(o, "0x%x: ", u->offset);
        switch ((MachUnwindKind)u->kind) {
        case MACH_UNWIND_CFA:
            sb_printf(o, "frame address = %s%+d\n", c->isa->preg_name(u->reg, 8, name), u->value);
            break;
        case MACH_UNWIND_SAVED:
            sb_printf(o, "%s at %+d\n", c->isa->preg_name(u->reg, 8, name), u->value);
            break;
        case MACH_UNWIND_RETURN_ADDRESS: sb_printf(o, "return address at %+d\n", u->value); break;
        case MACH_UNWIND_RETURN_IN:
            sb_printf(o, "return address in %s\n", c->isa->preg_name(u->reg, 8, name));
            break;
        case MACH_UNWIND_KEPT:
            sb_printf(o, "%s is the caller's\n", c->isa->preg_name(u->reg, 8, name));
            break;
        case MACH_UNWIND_REMEMBER: sb_puts(o, "epilogue\n"); break;
        case MACH_UNWIND_RECALL: sb_puts(o, "as before the epilogue\n"); break;
        }
    }
}

void listing_print(const MachCtx *c, const ClifFunc *f, const RaFunc *rf, const RaOutput *ra,
                   uint32_t frame_size, StrBuf *o) {
    if (c->print_what & MACH_PRINT_CODE) {
        list_code(c, rf, ra, o);
        list_rest(c, f, frame_size, o);
    }
    if (c->print_what & MACH_PRINT_UNWIND) list_unwind(c, o);
}

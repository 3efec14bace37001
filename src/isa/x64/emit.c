/* isa/x64/emit.c — table-driven encoder: row + operands to bytes.
 *
 *   [66/F2/F3] [REX] [0F [38|3A]] opcode modrm [sib] [disp] [imm]     legacy
 *   VEX2/VEX3 opcode modrm [sib] [disp] [imm]                          VEX, 128-bit or scalar, L = 0
 *   62 P0 P1 P2 opcode modrm [sib] [disp] [imm]                        EVEX, 128-bit or scalar, no mask
 * x64_put is the one place that knows this; each form only says which operand is reg, r/m, vvvv, immediate.
 * An r/m operand whose allocation is a spill slot becomes (slot offset)(%rsp). Displacements use the shortest of
 * 0, 8, 32 bits; the 8 bits of an EVEX instruction count in units of its memory operand. Ref: Intel SDM vol. 2, chapter 2. */
#include "isa/x64/x64.h"

const X64Row x64_rows[X64_OP_COUNT] = {
#define P66 XF_P66
#define PF2 XF_PF2
#define PF3 XF_PF3
#define M0F XF_M0F
#define M38 XF_M38
#define M3A XF_M3A
#define W XF_W
#define WS XF_WS
#define O16 XF_O16
#define B8 XF_B8
#define SB XF_SB
#define FP XF_FP
#define FPC XF_FPC
#define VEX XF_VEX
#define XD XF_XD
#define XS XF_XS
#define ZD XF_ZD
#define CC XF_CC
#define I8 XF_I8
#define V XF_V
#define RR XF_RR
#define NDS XF_NDS
#define EVEX XF_EVEX
#define X64_INST(NAME, text, FORM, flags, opcode, digit) \
    [X64_##NAME] = {text, flags, F_##FORM, opcode, digit},
#include "isa/x64/insts.def"
#undef X64_INST
#undef P66
#undef PF2
#undef PF3
#undef M0F
#undef M38
#undef M3A
#undef W
#undef WS
#undef O16
#undef B8
#undef SB
#undef FP
#undef FPC
#undef VEX
#undef XD
#undef XS
#undef ZD
#undef CC
#undef I8
#undef V
#undef RR
#undef NDS
#undef EVEX
};

static inline uint8_t *put32(uint8_t *p, uint32_t x) {
    memcpy(p, &x, 4);
    return p + 4;
}

/* unit: what an 8-bit displacement counts in */
static uint8_t *put_modrm(EmitCtx *e, const uint8_t *start, uint8_t *p, unsigned reg,
                          const X64Ea *ea, unsigned imm_bytes, int32_t unit) {
    reg = (reg & 7) << 3;
    if (ea->kind == XK_REG) {
        *p++ = (uint8_t)(0xC0 | reg | (ea->reg & 7));
        return p;
    }
    if (ea->base == 255) { /* label(%rip): the field holds what to add to the label's distance */
        *p++ = (uint8_t)(reg | 5);
        machbuf_use_label(e->buf, machbuf_offset(e->buf) + (uint32_t)(p - start), ea->label,
                          X64_LABEL_REL32);
        return put32(p, (uint32_t)(ea->disp - (int32_t)imm_bytes));
    }
    int32_t units = ea->disp / unit;
    bool fits = units == (int8_t)units && units * unit == ea->disp;
    unsigned b = ea->base & 7, mod = ea->disp == 0 && b != 5 ? 0 : fits ? 0x40 : 0x80;
    if (ea->index != 255 || b == 4) {
        *p++ = (uint8_t)(mod | reg | 4);
        *p++ = (uint8_t)(ea->index == 255 ? 0x24
                                          : (unsigned)ea->scale << 6 | (ea->index & 7u) << 3 | b);
    } else {
        *p++ = (uint8_t)(mod | reg | b);
    }
    if (mod == 0x40)
        *p++ = (uint8_t)units;
    else if (mod == 0x80)
        p = put32(p, (uint32_t)ea->disp);
    return p;
}

void x64_put(EmitCtx *e, uint32_t fl, unsigned size, unsigned opcode, unsigned reg, unsigned vvvv,
             X64Ea ea, unsigned imm_bytes, int64_t imm) {
    uint8_t *start = machbuf_room(e->buf, 24), *p = start;
    bool w = (fl & XF_W) || ((fl & XF_WS) && size == 3);
    unsigned r = reg >> 3 & 1, x = 0, b;
    if (ea.kind == XK_REG)
        b = ea.reg >> 3;
    else {
        b = ea.base == 255 ? 0 : ea.base >> 3;
        if (ea.index != 255 && ea.base != 255) x = ea.index >> 3;
    }
    if (fl & (XF_FP | XF_FPC | XF_O16)) {
        if (fl & XF_FP) fl |= size == 3 ? XF_PF2 : XF_PF3;
        if ((fl & XF_FPC) && size == 3) fl |= XF_P66;
        if ((fl & XF_O16) && size == 1) fl |= XF_P66;
    }
    int32_t unit = 1;
    if (fl & (XF_VEX | XF_EVEX)) {
        unsigned pp = fl & XF_P66   ? 1
                      : fl & XF_PF3 ? 2
                      : fl & XF_PF2 ? 3
                                    : 0,
                 map = fl & XF_M38   ? 2
                       : fl & XF_M3A ? 3
                                     : 1;
        if (fl & XF_EVEX) {
            unit = fl & XF_V ? 16 : 1 << size;
            *p++ = 0x62;
            *p++ = (uint8_t)((r ^ 1) << 7 | (x ^ 1) << 6 | (b ^ 1) << 5 | 0x10 | map);
            *p++ = (uint8_t)((unsigned)w << 7 | (~vvvv & 15) << 3 | 4 | pp);
            *p++ = 8;
        } else if (map == 1 && !w && !x && !b) {
            *p++ = 0xC5;
            *p++ = (uint8_t)((r ^ 1) << 7 | (~vvvv & 15) << 3 | pp);
        } else {
            *p++ = 0xC4;
            *p++ = (uint8_t)((r ^ 1) << 7 | (x ^ 1) << 6 | (b ^ 1) << 5 | map);
            *p++ = (uint8_t)((unsigned)w << 7 | (~vvvv & 15) << 3 | pp);
        }
        *p++ = (uint8_t)opcode;
    } else {
        unsigned rex = (unsigned)w << 3 | r << 2 | x << 1 | b;
        if (fl & (XF_P66 | XF_PF2 | XF_PF3)) {
            if (fl & XF_P66) *p++ = 0x66;
            if (fl & XF_PF2) *p++ = 0xF2;
            if (fl & XF_PF3) *p++ = 0xF3;
        }
        if (fl & (XF_B8 | XF_SB)) { /* spl to dil need a prefix, that they are not ah to bh */
            bool byte = (fl & XF_B8) && size == 0;
            if (byte) opcode &= ~1u;
            if (((byte && reg >= 4 && !imm_bytes && !(fl & XF_SB)) ||
                 ((byte || (fl & XF_SB)) && ea.kind == XK_REG && ea.reg >= 4)))
                rex |= 0x40;
        }
        if (rex) *p++ = (uint8_t)(rex | 0x40);
        if (fl & (XF_M0F | XF_M38 | XF_M3A)) {
            *p++ = 0x0F;
            if (fl & XF_M38) *p++ = 0x38;
            if (fl & XF_M3A) *p++ = 0x3A;
        }
        *p++ = (uint8_t)opcode;
    }
    p = put_modrm(e, start, p, reg, &ea, imm_bytes, unit);
    memcpy(p, &imm, 8);
    p += imm_bytes;
    machbuf_commit(e->buf, (uint32_t)(p - start));
}

/* The longest of the instructions that the processors' makers recommend for nothing, as often as it takes. */
void x64_fill(uint8_t *p, uint32_t n) {
    static const uint8_t nop[][9] = {{0x90},
                                     {0x66, 0x90},
                                     {0x0F, 0x1F, 0x00},
                                     {0x0F, 0x1F, 0x40},
                                     {0x0F, 0x1F, 0x44},
                                     {0x66, 0x0F, 0x1F, 0x44},
                                     {0x0F, 0x1F, 0x80},
                                     {0x0F, 0x1F, 0x84},
                                     {0x66, 0x0F, 0x1F, 0x84}};
    for (uint32_t k; n; p += k, n -= k) {
        k = n < 9 ? n : 9;
        memcpy(p, nop[k - 1], k);
    }
}

void x64_put_bytes(EmitCtx *e, const void *bytes, unsigned n) {
    memcpy(machbuf_room(e->buf, n), bytes, n);
    machbuf_commit(e->buf, n);
}

void x64_put_mov_imm(EmitCtx *e, unsigned reg, uint64_t imm) {
    uint8_t *s = machbuf_room(e->buf, 16), *p = s;
    if (imm <= UINT32_MAX) {
        if (reg >= 8) *p++ = 0x41;
        *p++ = (uint8_t)(0xB8 | (reg & 7));
        p = put32(p, (uint32_t)imm);
    } else if ((int64_t)imm == (int32_t)imm) {
        *p++ = (uint8_t)(0x48 | reg >> 3);
        *p++ = 0xC7;
        *p++ = (uint8_t)(0xC0 | (reg & 7));
        p = put32(p, (uint32_t)imm);
    } else {
        *p++ = (uint8_t)(0x48 | reg >> 3);
        *p++ = (uint8_t)(0xB8 | (reg & 7));
        memcpy(p, &imm, 8);
        p += 8;
    }
    machbuf_commit(e->buf, (uint32_t)(p - s));
}

void x64_put_jmp(EmitCtx *e, MachLabel l) {
    machbuf_uncond_branch(e->buf, 5, 1, l, X64_LABEL_REL32);
    x64_put_bytes(e, "\xE9\0\0\0\0", 5);
}

void x64_put_jcc_raw(EmitCtx *e, unsigned cc, MachLabel l) {
    uint8_t b[6] = {0x0F, (uint8_t)(0x80 | cc), 0, 0, 0, 0};
    machbuf_use_label(e->buf, machbuf_offset(e->buf) + 2, l, X64_LABEL_REL32);
    x64_put_bytes(e, b, 6);
}

X64Ea x64_ea_alloc(EmitCtx *e, RaAlloc a) {
    if (ra_is_reg(a)) return ea_reg(ra_alloc_preg(a) & 31);
    return ea_mem(RSP, (int32_t)(e->frame.spill_off + 8 * ra_alloc_slot_index(a)));
}

static unsigned reg_of(RaAlloc a) {
    COT_DASSERT(ra_is_reg(a));
    return ra_alloc_preg(a) & 31;
}

X64Ea x64_ea(EmitCtx *e, const MachInst *mi, const RaAlloc *a) {
    if (mi->b[2] == XK_REG) return x64_ea_alloc(e, a[0]);
    if (mi->b[4]) machbuf_trap(e->buf, mi->b[4]);
    X64Ea ea = {.kind = XK_MEM, .index = 255, .disp = mi->disp};
    switch ((X64Mode)(mi->b[3] >> 4)) {
    case XM_BASE: ea.base = (uint8_t)reg_of(a[0]); break;
    case XM_INDEX:
        ea.base = (uint8_t)reg_of(a[0]);
        ea.index = (uint8_t)reg_of(a[1]);
        ea.scale = mi->b[3] & 3;
        /* rbp and r13 have no form without a displacement, whose third term costs a load a cycle */
        if ((ea.base & 7) == RBP && (ea.index & 7) != RBP && !ea.scale && !ea.disp) {
            uint8_t index = ea.base;
            ea.base = ea.index, ea.index = index;
        }
        break;
    case XM_CONST:
        ea.base = 255;
        ea.label = e->const_label;
        ea.disp = mi->disp + (int32_t)mi->aux;
        break;
    case XM_SLOT:
        ea.base = RSP;
        ea.disp = mi->disp + (int32_t)(e->frame.slots_off + e->slot_offset[mi->aux]);
        break;
    case XM_INARG:
        ea.base = RBP;
        /* below the first one are return address and rbp, which are always at the same place */
        ea.disp = mi->disp + 16;
        if (mi->disp >= 0) ea.disp += (int32_t)(e->frame.tail_args - e->frame.incoming);
        break;
    case XM_OUTARG: ea.base = RSP; break;
    case XM_TAILARG:
        ea.base = RBP;
        ea.disp = mi->disp + (int32_t)(16 + e->frame.tail_args);
        break;
    }
    return ea;
}

static unsigned imm_size(unsigned size) {
    return size == 0 ? 1 : size == 1 ? 2 : 4;
}

/* op r/m, immediate with the 81/83 pair */
static void put_alu_imm(EmitCtx *e, const X64Row *r, unsigned size, X64Ea ea, int64_t imm) {
    if (size != 0 && imm == (int8_t)imm)
        x64_put(e, r->flags & ~XF_B8, size, 0x83, r->digit, 0, ea, 1, imm);
    else
        x64_put(e, r->flags & ~XF_SB, size, 0x81, r->digit, 0, ea, imm_size(size), imm);
}

/* An instruction that sets the flags by its result has just been written. */
static void flags_of(EmitCtx *e, unsigned size, unsigned d) {
    e->flags_at = machbuf_offset(e->buf);
    e->flags_reg = (uint8_t)d;
    e->flags_size = (uint8_t)size;
}
/* test r, r is not needed if the flags say it already. Only of zero and sign: overflow and carry may differ. */
static bool flags_known(EmitCtx *e, const MachInst *mi, const RaAlloc *al) {
    return mi->b[1] && mi->b[2] == XK_REG && al[0] == al[1] &&
           e->flags_at == machbuf_offset(e->buf) && e->flags_size == mi->b[0] &&
           e->flags_reg == reg_of(al[0]) && !machbuf_at_label(e->buf);
}

/* lea k(d), d and lea (d,x), d: shorter, and runs in more places. No flags are live at a lea. */
static bool lea_is_add(EmitCtx *e, unsigned size, unsigned d, const X64Ea *ea) {
    const X64Row *add = &x64_rows[X64_ADD];
    if (ea->index == 255) {
        if (ea->base != d) return false;
        put_alu_imm(e, add, size, ea_reg(d), ea->disp);
        flags_of(e, size, d);
        return true;
    }
    if (ea->scale || ea->disp || (ea->base != d && ea->index != d)) return false;
    unsigned other = ea->base == d ? ea->index : ea->base;
    x64_put(e, add->flags, size, add->opcode + 3, d, 0, ea_reg(other), 0, 0);
    flags_of(e, size, d);
    return true;
}

/* The register that an instruction of three operands takes the upper lanes from, which nobody reads: its source, or one that has
 * not been written for a while, so that there is nothing to wait for. */
static unsigned upper_source(uint32_t flags, const X64Ea *ea) {
    return ea->kind == XK_REG && (flags & XF_XS) ? ea->reg : X64_XTMP;
}

void x64_emit(EmitCtx *e, const MachInst *mi, const RaOperand *ops, const RaAlloc *al,
              uint32_t nops) {
    const X64Row *r = &x64_rows[mi->op];
    uint32_t fl = r->flags;
    unsigned size = mi->b[0], opc = r->opcode;
    bool vex = false;
    if (fl & (XF_XD | XF_XS)) {
        fl = x64_row_flags(e->set, (X64Op)mi->op);
        vex = fl & (XF_VEX | XF_EVEX);
    }
    if (r->flags & XF_CC) opc |= mi->b[1];
    switch ((X64Form)r->form) {
    case F_ALU: /* d=1 u rm|i */
        if (mi->b[2] == XK_IMM)
            put_alu_imm(e, r, size, ea_reg(reg_of(al[0])), (int64_t)mi->imm);
        else
            x64_put(e, r->flags, size, opc + 3, reg_of(al[0]), 0, x64_ea(e, mi, al + 2), 0, 0);
        flags_of(e, size, reg_of(al[0]));
        return;
    case F_ALUM: { /* mem, u|i: the register operand, if any, comes first */
        bool imm = mi->b[5] == XK_IMM;
        X64Ea ea = x64_ea(e, mi, al + !imm);
        if (imm)
            put_alu_imm(e, r, size, ea, (int64_t)mi->imm);
        else
            x64_put(e, r->flags, size, opc + 1, reg_of(al[0]), 0, ea, 0, 0);
        return;
    }
    case F_ST: {
        bool imm = mi->b[5] == XK_IMM;
        X64Ea ea = x64_ea(e, mi, al + !imm);
        if (imm)
            x64_put(e, r->flags, size, 0xC7, 0, 0, ea, imm_size(size), (int64_t)mi->imm);
        else
            x64_put(e, r->flags, size, opc, reg_of(al[0]), 0, ea, 0, 0);
        return;
    }
    case F_CMP:
    case F_TEST: /* b[5] IMM: rm, i; else u, rm */
        if (r->form == F_TEST && mi->b[5] != XK_IMM && flags_known(e, mi, al)) return;
        if (mi->b[5] == XK_IMM) {
            X64Ea ea = x64_ea(e, mi, al);
            if (r->form == F_CMP)
                put_alu_imm(e, r, size, ea, (int64_t)mi->imm);
            else
                x64_put(e, r->flags, size, 0xF7, 0, 0, ea, imm_size(size), (int64_t)mi->imm);
        } else {
            X64Ea ea = x64_ea(e, mi, al + 1);
            x64_put(e, r->flags, size, r->form == F_CMP ? opc + 3 : opc, reg_of(al[0]), 0, ea, 0,
                    0);
        }
        return;
    case F_RMR:
        x64_put(e, fl, size, opc, reg_of(al[0]), vex ? reg_of(al[1]) : 0, x64_ea(e, mi, al + 2), 0,
                0);
        return;
    case F_RM: {
        X64Ea ea = x64_ea(e, mi, al + 1);
        unsigned d = reg_of(al[0]);
        if (mi->op == X64_LEA && lea_is_add(e, size, d, &ea)) return;
        if (vex && (fl & XF_NDS)) {
            x64_put(e, fl, size, opc, d, upper_source(fl, &ea), ea, 0, 0);
            return;
        }
        if (r->flags & XF_ZD) {
            uint32_t traps = e->buf->traps.n;
            x64_put(e, XF_M0F, 2, 0x57, d, 0, ea_reg(d), 0,
                    0); /* xorps: breaks the false dependency */
            if (mi->b[2] == XK_MEM && mi->b[4])
                e->buf->traps.p[traps - 1].offset = machbuf_offset(e->buf);
        }
        x64_put(e, fl, size, opc, d, 0, ea, 0, 0);
        return;
    }
    case F_RMI: {
        X64Ea ea = x64_ea(e, mi, al + 1);
        int64_t imm = (int64_t)mi->imm;
        if (r->flags & XF_I8)
            x64_put(e, fl, size, opc, reg_of(al[0]),
                    vex && (fl & XF_NDS) ? upper_source(fl, &ea) : 0, ea, 1, imm);
        else if (imm == (int8_t)imm)
            x64_put(e, r->flags, size, 0x6B, reg_of(al[0]), 0, ea, 1, imm);
        else
            x64_put(e, r->flags, size, opc, reg_of(al[0]), 0, ea, imm_size(size), imm);
        return;
    }
    case F_XST: x64_put(e, fl, size, opc, reg_of(al[0]), 0, x64_ea(e, mi, al + 1), 0, 0); return;
    case F_XSTI:
        x64_put(e, fl, size, opc, reg_of(al[0]), 0, x64_ea(e, mi, al + 1), 1, (int64_t)mi->imm);
        return;
    case F_R1: x64_put(e, r->flags, size, opc, r->digit, 0, ea_reg(reg_of(al[0])), 0, 0); return;
    case F_SHIFT:
        if (mi->b[2] == XK_IMM) {
            if (mi->imm == 1)
                x64_put(e, r->flags, size, 0xD1, r->digit, 0, ea_reg(reg_of(al[0])), 0, 0);
            else
                x64_put(e, r->flags, size, 0xC1, r->digit, 0, ea_reg(reg_of(al[0])), 1,
                        (int64_t)mi->imm);
            if (r->digit >= 4 && mi->imm) flags_of(e, size, reg_of(al[0])); /* not of a rotation */
        } else {
            x64_put(e, r->flags, size, 0xD3, r->digit, 0, ea_reg(reg_of(al[0])), 0, 0);
        }
        return;
    case F_SETCC: x64_put(e, r->flags, 0, opc, 0, 0, ea_reg(reg_of(al[0])), 0, 0); return;
    case F_UU: x64_put(e, fl, size, opc, reg_of(al[0]), 0, x64_ea(e, mi, al + 1), 0, 0); return;
    case F_MVX: x64_put(e, fl, size, opc, reg_of(al[1]), 0, ea_reg(reg_of(al[0])), 0, 0); return;
    case F_VRMR:
        x64_put(e, r->flags, size, opc, reg_of(al[0]), reg_of(al[1]), x64_ea(e, mi, al + 2), 0, 0);
        return;
    case F_VRMV:
        x64_put(e, r->flags, size, opc, reg_of(al[0]), reg_of(al[1]), x64_ea(e, mi, al + 2), 0, 0);
        return;
    case F_VM:
        x64_put(e, r->flags, size, opc, r->digit, reg_of(al[0]), x64_ea(e, mi, al + 1), 0, 0);
        flags_of(e, size, reg_of(al[0]));
        return;
    case F_MOVI: x64_put_mov_imm(e, reg_of(al[0]), mi->imm); return;
    case F_MUL: x64_put(e, r->flags, size, opc, r->digit, 0, x64_ea(e, mi, al + 3), 0, 0); return;
    case F_RMRI:
        x64_put(e, fl, size, opc, reg_of(al[0]), vex ? reg_of(al[1]) : 0, x64_ea(e, mi, al + 2), 1,
                (int64_t)mi->imm);
        return;
    case F_XSHI:
        x64_put(e, fl, size, opc, r->digit, vex ? reg_of(al[0]) : 0, ea_reg(reg_of(al[vex])), 1,
                (int64_t)mi->imm);
        return;
    case F_MVXI:
        x64_put(e, fl, size, opc, reg_of(al[1]), 0, ea_reg(reg_of(al[0])), 1, (int64_t)mi->imm);
        return;
    case F_FMA:
    case F_FMAI:
        x64_put(e, fl, size, opc, reg_of(al[0]), reg_of(al[2]), x64_ea(e, mi, al + 3),
                r->form == F_FMAI, (int64_t)mi->imm);
        return;
    case F_MULX:
        x64_put(e, fl, size, opc, reg_of(al[0]), reg_of(al[1]), x64_ea(e, mi, al + 3), 0, 0);
        return;
    case F_BLEND:
        if (vex)
            x64_put(e, (fl & ~XF_M38) | XF_M3A, size, r->digit, reg_of(al[0]), reg_of(al[1]),
                    x64_ea(e, mi, al + 3), 1, reg_of(al[2]) << 4);
        else
            x64_put(e, fl, size, opc, reg_of(al[0]), 0, x64_ea(e, mi, al + 3), 0, 0);
        return;
    case F_SPECIAL: x64_emit_special(e, mi, ops, al, nops); return;
    }
}

static void put_move(EmitCtx *e, RaAlloc to, RaAlloc from, RaClass cls, uint8_t slots) {
    bool load = ra_is_reg(to);
    X64Ea ea = x64_ea_alloc(e, load ? from : to);
    unsigned reg = ra_alloc_preg(load ? to : from) & 31;
    if (cls == RA_INT)
        x64_put(e, XF_W, 3, load ? 0x8B : 0x89, reg, 0, ea, 0, 0);
    else if (ea.kind == XK_REG)
        x64_put(e, XF_M0F, 2, 0x28, reg, 0, ea, 0, 0);
    else if (slots > 1)
        x64_put(e, XF_M0F, 2, load ? 0x10 : 0x11, reg, 0, ea, 0, 0); /* movups */
    else
        x64_put(e, XF_FP | XF_M0F, 3, load ? 0x10 : 0x11, reg, 0, ea, 0, 0); /* movsd */
}

void x64_emit_move(EmitCtx *e, RaAlloc to, RaAlloc from, RaClass cls, uint8_t slots) {
    bool keeps = e->flags_at == machbuf_offset(e->buf) &&
                 !(cls == RA_INT && ra_is_reg(to) && ra_alloc_preg(to) == e->flags_reg);
    put_move(e, to, from, cls, slots);
    if (keeps) e->flags_at = machbuf_offset(e->buf); /* moves write no flags */
}

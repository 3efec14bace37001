/* isa/x64/print.c — machine instructions as text, AT&T order: sources first, destination last. */
#include <stdio.h>
#include "isa/x64/x64.h"

static const char *const names64[16] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                        "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};
static const char *const low8[8] = {"al", "cl", "dl", "bl", "spl", "bpl", "sil", "dil"};
static const char *const cc_names[16] = {"o", "no", "b", "ae", "e", "ne", "be", "a",
                                         "s", "ns", "p", "np", "l", "ge", "le", "g"};

const char *x64_preg_name(RaPReg p, unsigned bytes, char buf[16]) {
    unsigned r = p & 31;
    if (p >= X64_XMM) {
        memcpy(buf, "%xmm", 4);
        if (r >= 10)
            memcpy(buf + 4, (char[]){'1', (char)('0' + r - 10), 0}, 3);
        else
            memcpy(buf + 4, (char[]){(char)('0' + r), 0}, 2);
        return buf;
    }
    buf[0] = '%';
    const char *n = names64[r];
    if (r >= 8) {
        size_t k = strlen(n);
        memcpy(buf + 1, n, k);
        if (bytes < 8) buf[1 + k++] = bytes == 4 ? 'd' : bytes == 2 ? 'w' : 'b';
        buf[1 + k] = 0;
    } else if (bytes == 1) {
        memcpy(buf + 1, low8[r], strlen(low8[r]) + 1);
    } else if (bytes == 2) {
        memcpy(buf + 1, n + 1, strlen(n + 1) + 1);
    } else {
        memcpy(buf + 1, n, strlen(n) + 1);
        if (bytes == 4) buf[1] = 'e';
    }
    return buf;
}

typedef struct P {
    const MachInst *mi;
    const RaOperand *ops;
    const RaAlloc *al;
    StrBuf *sb;
    bool first;
} P;

static void sep(P *p) {
    sb_puts(p->sb, p->first ? " " : ", ");
    p->first = false;
}
static void reg(P *p, unsigned k, unsigned bytes) {
    char buf[16];
    if (!p->al)
        sb_printf(p->sb, "%%v%u", ra_vreg_index(p->ops[k].vreg));
    else if (ra_is_reg(p->al[k]))
        sb_puts(p->sb, x64_preg_name(ra_alloc_preg(p->al[k]), bytes, buf));
    else
        sb_printf(p->sb, "slot%u", ra_alloc_slot_index(p->al[k]));
}
static void rm(P *p, unsigned k, unsigned bytes) {
    const MachInst *mi = p->mi;
    sep(p);
    if (mi->b[2] == XK_REG) {
        reg(p, k, bytes);
        return;
    }
    if (mi->b[2] == XK_IMM) {
        sb_printf(p->sb, "$%lld", (long long)mi->imm);
        return;
    }
    char disp[16] = "";
    if (mi->disp)
        snprintf(disp, sizeof disp, "%s0x%x", mi->disp < 0 ? "-" : "",
                 mi->disp < 0 ? 0u - (uint32_t)mi->disp : (uint32_t)mi->disp);
    const char *plus = mi->disp > 0 ? "+" : "";
    switch ((X64Mode)(mi->b[3] >> 4)) {
    case XM_BASE:
    case XM_INDEX:
        sb_printf(p->sb, "%s(", disp);
        reg(p, k, 8);
        if (mi->b[3] >> 4 == XM_INDEX) {
            sb_puts(p->sb, ",");
            reg(p, k + 1, 8);
            sb_printf(p->sb, ",%u", 1u << (mi->b[3] & 3));
        }
        sb_puts(p->sb, ")");
        break;
    case XM_CONST: sb_printf(p->sb, "const+%u%s%s(%%rip)", mi->aux, plus, disp); break;
    case XM_SLOT: sb_printf(p->sb, "ss%u%s%s(%%rsp)", mi->aux, plus, disp); break;
    case XM_INARG: sb_printf(p->sb, "args%s%s(%%rbp)", plus, disp); break;
    case XM_OUTARG: sb_printf(p->sb, "%s(%%rsp)", disp); break;
    case XM_TAILARG: sb_printf(p->sb, "tail_args%s%s(%%rbp)", plus, disp); break;
    }
}
static void one(P *p, unsigned k, unsigned bytes) {
    sep(p);
    reg(p, k, bytes);
}
static void imm(P *p) {
    sep(p);
    sb_printf(p->sb, "$%lld", (long long)p->mi->imm);
}

/* The source of the upper lanes, where the instruction has one. */
static void upper(P *p, uint32_t flags) {
    char buf[16];
    if (!(flags & XF_NDS) || !(flags & (XF_VEX | XF_EVEX))) return;
    if (p->mi->b[2] == XK_REG && (flags & XF_XS) && (!p->al || ra_is_reg(p->al[1])))
        one(p, 1, 16);
    else {
        sep(p);
        sb_puts(p->sb, x64_preg_name(X64_XMM + X64_XTMP, 16, buf));
    }
}

static void print_special(P *p, uint32_t n) {
    const MachInst *mi = p->mi;
    if (mi->op == X64_JCC)
        sb_printf(p->sb, " block%u; jmp block%u", mi->aux, mi->aux2);
    else if (mi->op == X64_JMP)
        sb_printf(p->sb, " block%u", mi->aux);
    else if (mi->op == X64_CALL && mi->b[1] == CLIF_NAME_USER)
        sb_printf(p->sb, " u%u:%u", mi->aux, mi->aux2);
    else if (mi->op == X64_CALL)
        sb_puts(p->sb, " name");
    else if (mi->op == X64_TRAP || mi->op == X64_TRAPIF)
        sb_printf(p->sb, " trap%u", mi->aux);
    for (uint32_t i = 0; i < n; i++) {
        const RaOperand *o = &p->ops[i];
        sep(p);
        sb_puts(p->sb, o->kind == RA_DEF ? "=" : "");
        reg(p, i, 8);
        char buf[16];
        if (o->constraint == RA_FIXED && !p->al)
            sb_printf(p->sb, "@%s", x64_preg_name(o->arg, 8, buf));
    }
}

void x64_print(const MachSettings *set, const MachInst *mi, const RaOperand *ops, const RaAlloc *al,
               uint32_t nops, StrBuf *out) {
    const X64Row *r = &x64_rows[mi->op];
    P p = {mi, ops, al, out, true};
    unsigned size = 1u << mi->b[0], dst = size, src = size;
    uint32_t fl = x64_row_flags(set, (X64Op)mi->op);
    bool vex = r->form != F_SPECIAL && x64_has_vex(r->flags) && (fl & XF_VEX);
    if (vex) sb_putc(out, 'v');
    sb_puts(out, r->text);
    if (r->flags & XF_CC) sb_puts(out, cc_names[mi->b[1] & 15]);
    if (r->flags & (XF_FP | XF_FPC))
        sb_putc(out, size == 8 ? 'd' : 's');
    else if (r->form != F_SPECIAL && r->form != F_SETCC && (r->flags & (XF_WS | XF_SB)) &&
             !(r->flags & XF_CC))
        sb_putc(out, "bwlq"[mi->b[0] & 3]);
    if (mi->op == X64_MOVZX8 || mi->op == X64_MOVSX8) src = 1;
    if (mi->op == X64_MOVZX16 || mi->op == X64_MOVSX16) src = 2;
    if (mi->op == X64_MOVSXD) src = 4, dst = 8;
    switch ((X64Form)r->form) {
    case F_ALU:
    case F_RMR:
        rm(&p, 2, src);
        one(&p, 1, dst);
        one(&p, 0, dst);
        break;
    case F_ALUM:
    case F_ST:
        if (mi->b[5] == XK_IMM)
            imm(&p);
        else
            one(&p, 0, src);
        rm(&p, mi->b[5] != XK_IMM, src);
        break;
    case F_CMP:
    case F_TEST:
        if (mi->b[5] == XK_IMM) {
            imm(&p);
            rm(&p, 0, src);
        } else {
            rm(&p, 1, src);
            one(&p, 0, src);
        }
        break;
    case F_RM:
        rm(&p, 1, src);
        upper(&p, fl);
        one(&p, 0, dst);
        break;
    case F_RMI:
        imm(&p);
        rm(&p, 1, src);
        upper(&p, fl);
        one(&p, 0, dst);
        break;
    case F_XSTI:
        imm(&p);
        one(&p, 0, 16);
        rm(&p, 1, src);
        break;
    case F_XST:
        one(&p, 0, 16);
        rm(&p, 1, src);
        break;
    case F_R1:
        one(&p, 1, src);
        one(&p, 0, dst);
        break;
    case F_SHIFT:
        if (mi->b[2] == XK_IMM)
            imm(&p);
        else
            one(&p, 2, 1);
        one(&p, 1, src);
        one(&p, 0, dst);
        break;
    case F_SETCC: one(&p, 0, 1); break;
    case F_UU:
        if (mi->op == X64_BT) one(&p, 0, src); /* the bit number is the source */
        rm(&p, 1, src);
        if (mi->op != X64_BT) one(&p, 0, src);
        break;
    case F_MVX:
        one(&p, 1, 16);
        one(&p, 0, dst);
        break;
    case F_VRMR:
        rm(&p, 2, src);
        one(&p, 1, src);
        one(&p, 0, dst);
        break;
    case F_VRMV:
        one(&p, 1, src);
        rm(&p, 2, src);
        one(&p, 0, dst);
        break;
    case F_VM:
        rm(&p, 1, src);
        one(&p, 0, dst);
        break;
    case F_MOVI:
        imm(&p);
        one(&p, 0, dst);
        break;
    case F_MUL: rm(&p, 3, src); break;
    case F_RMRI:
        imm(&p);
        rm(&p, 2, mi->op == X64_PINSRB || mi->op == X64_PINSRW ? 4 : src);
        one(&p, 1, dst);
        one(&p, 0, dst);
        break;
    case F_XSHI:
        imm(&p);
        one(&p, 1, dst);
        one(&p, 0, dst);
        break;
    case F_MVXI:
        imm(&p);
        one(&p, 1, 16);
        one(&p, 0, r->flags & XF_WS ? dst : 4);
        break;
    case F_MULX:
        rm(&p, 3, src);
        one(&p, 1, dst);
        one(&p, 0, dst);
        break;
    case F_BLEND:
        one(&p, 2, 16);
        rm(&p, 3, src);
        one(&p, 1, dst);
        one(&p, 0, dst);
        break;
    case F_FMA:
    case F_FMAI:
        if (r->form == F_FMAI) imm(&p);
        rm(&p, 3, src);
        one(&p, 2, src);
        one(&p, 1, dst);
        one(&p, 0, dst);
        break;
    case F_SPECIAL: print_special(&p, nops); break;
    }
}

/* Random operands for every encoded row: bytes to x64_encodings.bin, our text and length to x64_encodings.txt in the build
 * folder; tests/check.d/25-x64-encodings.sh has an independent disassembler read the bytes and compares. The test
 * itself checks that every encoding has 1 to 15 bytes. */
#include <stdio.h>
#include "cm.h"
#include "isa/x64/x64.h"

#define ROUNDS 1000
static uint64_t seed = 0x9E3779B97F4A7C15u;
static uint32_t pick(uint32_t n) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed >> 33) % n;
}
static RaAlloc gpr(void) {
    return ra_alloc_reg((RaPReg)pick(16));
}
static RaAlloc xmm(void) {
    return ra_alloc_reg((RaPReg)(X64_XMM + pick(16)));
}

/* the r/m operand; returns its number of operands */
static unsigned random_rm(MachInst *mi, RaAlloc *al, bool vec, bool mem_only) {
    if (!mem_only && pick(2)) {
        mi->b[2] = XK_REG;
        al[0] = vec ? xmm() : gpr();
        return 1;
    }
    mi->b[2] = XK_MEM;
    static const int32_t disps[] = {0, 8, -8, 127, -128, 128, 4096, -70000, INT32_MAX};
    mi->disp = disps[pick(9)];
    al[0] = gpr();
    if (pick(2)) {
        mi->b[3] = XM_BASE << 4;
        return 1;
    }
    mi->b[3] = (uint8_t)(XM_INDEX << 4 | pick(4));
    do al[1] = gpr();
    while ((al[1] & 31) == RSP);
    return 2;
}

static bool random_inst(unsigned op, MachInst *mi, RaAlloc *al) {
    const X64Row *r = &x64_rows[op];
    bool xd = r->flags & XF_XD, xs = r->flags & XF_XS;
    memset(mi, 0, sizeof *mi);
    mi->op = (uint16_t)op;
    mi->b[0] = (uint8_t)(2 + pick(2));
    if (r->flags & XF_CC) mi->b[1] = (uint8_t)pick(16);
    al[0] = xd ? xmm() : gpr();
    al[1] = al[0];
    int64_t imm = pick(2) ? (int64_t)pick(128) : (int64_t)(int32_t)(pick(UINT32_MAX) | 0x100);
    switch ((X64Form)r->form) {
    case F_ALU:
        if (pick(3) == 0) {
            mi->b[2] = XK_IMM;
            mi->imm = (uint64_t)imm;
        } else
            random_rm(mi, al + 2, false, false);
        return true;
    case F_ALUM:
    case F_ST:
        mi->b[0] = (uint8_t)pick(4);
        if (pick(2)) {
            mi->b[5] = XK_IMM;
            mi->imm = mi->b[0] < 2 ? pick(100) : (uint64_t)imm;
            random_rm(mi, al, false, true);
        } else
            random_rm(mi, al + 1, false, true);
        return true;
    case F_CMP:
    case F_TEST:
        mi->b[0] = (uint8_t)pick(4);
        if (pick(2)) {
            mi->b[5] = XK_IMM;
            mi->imm = mi->b[0] < 2 ? pick(100) : (uint64_t)imm;
            random_rm(mi, al, false, false);
        } else
            random_rm(mi, al + 1, false, false);
        return true;
    case F_RMR: random_rm(mi, al + 2, xs, false); return true;
    case F_RM:
        do random_rm(mi, al + 1, xs, op == X64_LEA);
        while (op == X64_LEA && (al[1] == al[0] || (mi->b[3] >> 4 == XM_INDEX && al[2] == al[0])));
        return true; /* a lea that is an add: see test_run.c */
    case F_RMI:
        random_rm(mi, al + 1, xs, false);
        mi->imm = r->flags & XF_I8 ? pick(16) : (uint64_t)imm;
        return true;
    case F_XST:
        al[0] = xmm();
        random_rm(mi, al + 1, false, true);
        return true;
    case F_R1: return true;
    case F_SHIFT:
        al[2] = ra_alloc_reg(RCX);
        mi->b[2] = pick(2) ? XK_IMM : XK_REG;
        mi->imm = 1 + pick(31);
        return true;
    case F_SETCC: return true;
    case F_UU:
        random_rm(mi, al + 1, xs, false);
        if (op == X64_BT) mi->b[2] = XK_REG; /* the rules never make the memory form */
        return true;
    case F_MVX: al[1] = xmm(); return true;
    case F_VRMR:
    case F_VRMV:
        al[1] = xd ? xmm() : gpr();
        random_rm(mi, al + 2, xs, false);
        return true;
    case F_VM: random_rm(mi, al + 1, false, false); return true;
    case F_MOVI:
        mi->imm = mi->b[0] == 3 ? (uint64_t)imm << pick(32) : (uint64_t)pick(UINT32_MAX);
        return true;
    case F_MUL: random_rm(mi, al + 3, false, false); return true;
    case F_SPECIAL: return false;
    }
    return false;
}

static void encodings(void **state) {
    (void)state;
    Mem mem;
    mem_init(&mem, NULL);
    MachBuf buf;
    machbuf_init(&buf, &mem);
    machbuf_reset(&buf, isa_x64.label_kinds, 0);
    MachSettings set = {0};
    EmitCtx e = {.buf = &buf, .isa = &isa_x64, .set = &set};
    StrBuf sb;
    sb_init(&sb, &mem);
    FILE *bin = fopen(COT_BUILD_DIR "/x64_encodings.bin", "wb"),
         *txt = fopen(COT_BUILD_DIR "/x64_encodings.txt", "w");
    assert_non_null(bin);
    assert_non_null(txt);
    for (unsigned op = 0; op < X64_OP_COUNT; op++) {
        for (unsigned k = 0; k < ROUNDS; k++) {
            MachInst mi;
            RaAlloc al[8] = {0};
            RaOperand ops[8] = {0};
            if (!random_inst(op, &mi, al)) break;
            uint32_t from = machbuf_offset(&buf);
            x64_emit(&e, &mi, ops, al, 0);
            uint32_t n = machbuf_offset(&buf) - from;
            if (x64_rows[op].flags & XF_ZD) { /* without the clearing instruction before it */
                uint32_t skip = (al[0] & 31) >= 8 ? 4 : 3;
                from += skip;
                n -= skip;
            }
            assert_in_range(n, 1, 15);
            sb_clear(&sb);
            x64_print(&mi, ops, al, 0, &sb);
            fwrite(buf.code.p + from, 1, n, bin);
            fprintf(txt, "%u\t%s\n", n, sb_cstr(&sb));
        }
    }
    fclose(bin);
    fclose(txt);
    sb_free(&sb);
    machbuf_free(&buf);
    assert_int_equal(mem.live, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(encodings)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

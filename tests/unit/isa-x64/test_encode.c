/* Random operands for every row: bytes to x64_encodings.bin, our text and length to x64_encodings.txt in the build
 * folder; tests/check.d/25-x64-encodings.sh has an independent disassembler read the bytes and compares. Rows with emission of their own go to x64_sequences.*: they must decode completely, into
 * instructions that belong there, on their operands and the scratch registers only. The test itself checks that every encoding has 1 to 15 bytes. */
#include <stdio.h>
#include <stdlib.h>
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

static bool random_inst(const MachSettings *set, unsigned op, MachInst *mi, RaAlloc *al) {
    const X64Row *r = &x64_rows[op];
    bool vex = x64_row_flags(set, op) & (XF_VEX | XF_EVEX);
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
    case F_RMR:
        al[1] = vex ? xmm() : al[1];
        random_rm(mi, al + 2, xs, false);
        if (r->flags & XF_RR) mi->b[2] = XK_REG, al[2] = xmm();
        return true;
    case F_RM:
        if (r->flags & XF_RR) { /* registers only */
            al[1] = xmm();
            return true;
        }
        do random_rm(mi, al + 1, xs, op == X64_LEA || (op == X64_MOVS && vex));
        while (op == X64_LEA && (al[1] == al[0] || (mi->b[3] >> 4 == XM_INDEX && al[2] == al[0])));
        return true; /* a lea that is an add: see test_run.c */
    case F_RMI:
        random_rm(mi, al + 1, xs, false);
        if (r->flags & XF_RR) mi->b[2] = XK_REG, al[1] = xmm();
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
    case F_RMRI:
        al[1] = vex ? xmm() : al[1];
        random_rm(mi, al + 2, xs, false);
        mi->imm = op == X64_CMPP ? pick(8) : pick(256);
        return true;
    case F_XSHI:
        al[1] = vex ? xmm() : al[1];
        mi->imm = pick(64);
        return true;
    case F_XSTI:
        al[0] = xmm();
        random_rm(mi, al + 1, false, true);
        mi->imm = pick(16);
        return true;
    case F_MULX:
        al[1] = gpr();
        while (al[1] == al[0]) al[1] = gpr();
        al[2] = ra_alloc_reg(RDX);
        random_rm(mi, al + 3, false, false);
        return true;
    case F_BLEND:
        al[1] = vex ? xmm() : al[1];
        al[2] = vex ? xmm() : ra_alloc_reg(X64_XMM);
        random_rm(mi, al + 3, true, false);
        return true;
    case F_MVXI:
        al[1] = xmm();
        mi->imm = pick(16);
        return true;
    case F_FMA:
    case F_FMAI:
        mi->imm = pick(256);
        al[2] = xmm();
        random_rm(mi, al + 3, true, false);
        return true;
    case F_SPECIAL: return false;
    }
    return false;
}

/* The text of an instruction, which must take exactly its bytes, and cut off must be none. */
static void decode_whole(const uint8_t *p, uint32_t n, uint64_t at, StrBuf *text) {
    MachDecoded d;
    uint8_t *copy = malloc(n); /* so that sanitizers see what is read behind it */
    assert_non_null(copy);
    for (uint32_t k = 0; k <= n; k++) {
        memcpy(copy + (n - k), p, k);
        assert_int_equal(x64_decode(copy + (n - k), k, at, &d, text), k == n ? n : 0);
        if (k < n) assert_int_equal(text->n, 0);
    }
    free(copy);
}

/* Any bytes at all: the decoder stays inside them and says nothing of what it does not know. */
static void any_bytes_decode_or_not(void **state) {
    (void)state;
    Mem mem;
    StrBuf sb;
    mem_init(&mem, NULL);
    sb_init(&sb, &mem);
    for (unsigned k = 0; k < 300000; k++) {
        MachDecoded d;
        uint32_t n = pick(16);
        uint8_t *p = malloc(n ? n : 1);
        assert_non_null(p);
        static const uint8_t begin[] = {0x0F, 0xC4, 0xC5, 0x62, 0x66, 0x48, 0xF3, 0xF0};
        for (uint32_t i = 0; i < n; i++) p[i] = (uint8_t)pick(256);
        if (n && pick(2)) p[0] = begin[pick(sizeof begin)];
        sb_clear(&sb);
        uint32_t used = x64_decode(p, n, 0, &d, &sb);
        assert_in_range(used, 0, n);
        assert_int_equal(used == 0, sb.n == 0);
        free(p);
    }
    sb_free(&sb);
    assert_int_equal(mem.live, 0);
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
         *txt = fopen(COT_BUILD_DIR "/x64_encodings.txt", "w"),
         *dec = fopen(COT_BUILD_DIR "/x64_decoded.txt", "w");
    uint64_t at = 0;
    assert_non_null(bin);
    assert_non_null(txt);
    assert_non_null(dec);
    for (unsigned op = 0; op < X64_OP_COUNT; op++) {
        for (unsigned k = 0; k < ROUNDS; k++) {
            MachInst mi;
            RaAlloc al[8] = {0};
            RaOperand ops[8] = {0};
            set.isa_flags = k & 1 ? (uint64_t)1 << X64_HAS_AVX : 0;
            if (!random_inst(&set, op, &mi, al)) break;
            uint32_t from = machbuf_offset(&buf);
            x64_emit(&e, &mi, ops, al, 0);
            uint32_t n = machbuf_offset(&buf) - from;
            if ((x64_rows[op].flags & XF_ZD) &&
                !set.isa_flags) { /* without the clearing instruction before it */
                uint32_t skip = (al[0] & 31) >= 8 ? 4 : 3;
                from += skip;
                n -= skip;
            }
            assert_in_range(n, 1, 15);
            sb_clear(&sb);
            x64_print(&set, &mi, ops, al, 0, &sb);
            fwrite(buf.code.p + from, 1, n, bin);
            fprintf(txt, "%u\t%s\n", n, sb_cstr(&sb));
            sb_clear(&sb);
            decode_whole(buf.code.p + from, n, at, &sb);
            fprintf(dec, "%s\n", sb_cstr(&sb));
            at += n;
        }
    }
    fclose(bin);
    fclose(txt);
    fclose(dec);
    sb_free(&sb);
    machbuf_free(&buf);
    assert_int_equal(mem.live, 0);
}

/* base + index has a displacement only where both are of rbp and r13, which have no form without one. */
static void no_displacement(void **state) {
    (void)state;
    Mem mem;
    mem_init(&mem, NULL);
    MachBuf buf;
    machbuf_init(&buf, &mem);
    MachSettings set = {0};
    EmitCtx e = {.buf = &buf, .isa = &isa_x64, .set = &set};
    static const RaOperand ops[4];
    for (uint8_t base = 0; base < 16; base++)
        for (uint8_t index = 0; index < 16; index++) {
            if (base == RSP || index == RSP) continue;
            MachInst mi = {.op = X64_MOV};
            mi.b[0] = 3, mi.b[2] = XK_MEM, mi.b[3] = XM_INDEX << 4;
            RaAlloc al[4] = {ra_alloc_reg(RAX), ra_alloc_reg(base), ra_alloc_reg(index)};
            machbuf_reset(&buf, isa_x64.label_kinds, 0);
            x64_emit(&e, &mi, ops, al, 3);
            bool both = (base & 7) == RBP && (index & 7) == RBP;
            assert_int_equal(machbuf_offset(&buf), both ? 5 : 4);
        }
    machbuf_free(&buf);
    assert_int_equal(mem.live, 0);
}

/* ---- instructions with emission of their own ---- */
/* Random operands of a special row; false if it has no bytes. *fixed: registers that it uses whatever its operands are. */
static bool random_special(MachBuf *b, unsigned op, MachInst *mi, RaAlloc *al, uint32_t *nal,
                           MachLabel *l) {
    memset(mi, 0, sizeof *mi);
    mi->op = (uint16_t)op;
    mi->b[0] = (uint8_t)(2 + pick(2));
    mi->b[1] = (uint8_t)pick(16);
    *l = machbuf_new_label(b);
    RaAlloc g = gpr(), x = xmm();
    while ((g & 31) == RSP || (g & 31) == X64_TMP) g = gpr(); /* as the allocator does */
    while ((x & 31) == X64_XTMP) x = xmm();
    RaAlloc y = xmm(), h = gpr();
    while ((y & 31) == X64_XTMP || y == x) y = xmm();
    while ((h & 31) == RSP || (h & 31) == X64_TMP || h == g) h = gpr();
    *nal = 0;
#define OPERAND(a) al[(*nal)++] = (a)
    switch (op) {
    case X64_ARGS: return false;
    case X64_RET: return true;
    case X64_CALL:
        mi->b[1] = CLIF_NAME_USER;
        mi->b[5] = (uint8_t)pick(2);
        return true;
    case X64_CALL_R: OPERAND(g); return true;
    case X64_TAIL_CALL:
        mi->b[1] = CLIF_NAME_USER;
        mi->b[5] = (uint8_t)pick(2);
        return true;
    case X64_TAIL_CALL_R: OPERAND(ra_alloc_reg(R10)); return true;
    case X64_LANDING: return false;
    case X64_REP_MOVS: return true;
    case X64_TLS: mi->b[1] = CLIF_NAME_USER; return true;
    case X64_LABEL_ADDRESS:
        mi->aux = *l;
        OPERAND(g);
        return true;
    case X64_GET_PINNED:
    case X64_SET_PINNED: OPERAND(g); return true;
    case X64_JMP: mi->aux = *l; return true;
    case X64_JCC:
        mi->aux = *l;
        mi->aux2 = machbuf_new_label(b);
        mi->b[4] = (uint8_t)pick(16);
        mi->b[5] = (uint8_t)pick(3);
        return true;
    case X64_BR_TABLE:
        mi->imm = pick(12);
        OPERAND(g);
        OPERAND(h);
        return true;
    case X64_TRAP: mi->aux = 1 + pick(200); return true;
    case X64_TRAPIF:
        mi->aux = 1 + pick(200);
        mi->b[4] = (uint8_t)pick(16);
        mi->b[5] = (uint8_t)pick(3);
        return true;
    case X64_ZERO:
    case X64_SYM:
    case X64_MOVSP:
    case X64_MOVFP: OPERAND(g); return true;
    case X64_XZERO:
    case X64_XONES: OPERAND(x); return true;
    case X64_BSWAP:
        OPERAND(g);
        OPERAND(g);
        return true;
    case X64_DIVREM:
        while ((h & 31) == RAX || (h & 31) == RDX || (h & 31) == RSP || (h & 31) == X64_TMP)
            h = gpr();
        OPERAND(ra_alloc_reg(RAX));
        OPERAND(h);
        OPERAND(ra_alloc_reg(RAX));
        OPERAND(ra_alloc_reg(RDX));
        mi->imm = mi->b[0] == 3 ? (uint64_t)INT64_MIN : (uint64_t)(int64_t)INT32_MIN;
        return true;
    case X64_CLZ:
    case X64_CTZ:
        OPERAND(g);
        OPERAND(h);
        return true;
    case X64_XCMOV:
    case X64_FMINMAX:
        mi->b[1] &= op == X64_FMINMAX ? 1 : 15;
        OPERAND(x);
        OPERAND(x);
        OPERAND(y);
        return true;
    case X64_CVT_SINT:
    case X64_CVT_UINT:
        mi->b[1] &= 1;
        mi->b[5] = (uint8_t)(2 + pick(2));
        OPERAND(g);
        OPERAND(x);
        return true;
    case X64_CVT_FROM_U64:
        mi->b[5] = (uint8_t)(2 + pick(2));
        OPERAND(x);
        OPERAND(g);
        return true;
    case X64_MFENCE:
    case X64_INT3: return true;
    case X64_CMPXCHG:
    case X64_RMW:
        mi->b[1] = (uint8_t)(CLIF_RMW_SMIN + pick(2));
        if (pick(2)) mi->b[1] = (uint8_t)(CLIF_RMW_AND + pick(4));
        OPERAND(ra_alloc_reg(RAX));
        if (op == X64_CMPXCHG) OPERAND(ra_alloc_reg(RAX));
        OPERAND(h);
        *nal += random_rm(mi, al + *nal, false, true);
        mi->b[0] = (uint8_t)pick(4);
        return true;
    case X64_CMPXCHG16B:
    case X64_RMW16B:
        mi->b[1] = (uint8_t)(CLIF_RMW_ADD + pick(11));
        for (unsigned k = 0; k < 2; k++) {
            OPERAND(ra_alloc_reg(RAX));
            OPERAND(ra_alloc_reg(RDX));
        }
        OPERAND(ra_alloc_reg(RBX));
        OPERAND(ra_alloc_reg(RCX));
        for (unsigned k = 0; op == X64_RMW16B && k < 2; k++) OPERAND(ra_alloc_reg(RSI + 2 * k));
        *nal += random_rm(mi, al + *nal, false, true);
        return true;
    case X64_XADD:
    case X64_XCHG:
        OPERAND(g);
        OPERAND(g);
        *nal += random_rm(mi, al + 2, false, true);
        mi->b[0] = (uint8_t)pick(4);
        return true;
    default: fail_msg("row %s has no random operands", x64_rows[op].text);
    }
    return false;
}

/* Bytes to x64_sequences.bin; row, length of the code and the registers it may name to x64_sequences.txt. */
static void sequences(void **state) {
    (void)state;
    Mem mem;
    mem_init(&mem, NULL);
    MachBuf buf;
    machbuf_init(&buf, &mem);
    FILE *bin = fopen(COT_BUILD_DIR "/x64_sequences.bin", "wb"),
         *txt = fopen(COT_BUILD_DIR "/x64_sequences.txt", "w");
    assert_non_null(bin);
    assert_non_null(txt);
    static const char *const names[] = {
#define X64_INST(NAME, ...) #NAME,
#include "isa/x64/insts.def"
#undef X64_INST
    };
    for (unsigned op = 0; op < X64_OP_COUNT; op++) {
        if (x64_rows[op].form != F_SPECIAL) continue;
        for (unsigned k = 0; k < 200; k++) {
            MachInst mi;
            RaAlloc al[12] = {0};
            RaOperand ops[12] = {0};
            uint32_t nal, targets[16];
            MachLabel l;
            machbuf_reset(&buf, isa_x64.label_kinds, 0);
            MachSettings set = {.explicit_traps = k & 1};
            static const ClifFunc f;
            set.tls_model = (uint8_t)(1 + k % 3);
            set.is_pic = k >> 1 & 1;
            set.isa_flags = k >> 2 & 1 ? (uint64_t)1 << X64_HAS_AVX512F : 0;
            EmitCtx e = {.buf = &buf, .isa = &isa_x64, .set = &set, .f = &f, .jt_targets = targets};
            if (!random_special(&buf, op, &mi, al, &nal, &l)) break;
            for (unsigned t = 0; t < 16; t++) targets[t] = l;
            x64_emit(&e, &mi, ops, al, nal);
            uint32_t n = machbuf_offset(&buf),
                     table = op == X64_BR_TABLE && mi.imm > 4 ? 4 * (uint32_t)(mi.imm + 1) : 0;
            assert_in_range(n, 1, 300);
            x64_put_bytes(&e, "\x90", 1); /* so that no target is the end */
            machbuf_bind(&buf, l);
            if (op == X64_JCC) machbuf_bind(&buf, mi.aux2);
            x64_put_bytes(&e, "\x90", 1);
            for (uint32_t s = 0; s < buf.trap_stubs.n; s++)
                machbuf_bind(&buf, buf.trap_stubs.p[s].label);
            Diag d;
            diag_clear(&d);
            assert_true(machbuf_finish(&buf, &d));
            fwrite(buf.code.p, 1, n - table, bin);
            fprintf(txt, "%u\t%s\t", n - table, names[op]);
            for (uint32_t a = 0; a < nal; a++)
                fprintf(txt, "%c%u ", ra_alloc_preg(al[a]) >= X64_XMM ? 'x' : 'g',
                        ra_alloc_preg(al[a]) & 31u);
            fprintf(txt, "\n");
        }
    }
    fclose(bin);
    fclose(txt);
    machbuf_free(&buf);
    assert_int_equal(mem.live, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encodings), cmocka_unit_test(no_displacement),
        cmocka_unit_test(any_bytes_decode_or_not), cmocka_unit_test(sequences)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

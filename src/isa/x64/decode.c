/* isa/x64/decode.c — machine code back to text, as GNU objdump writes it (AT&T).
 *
 * Problem     Precompiled modules and executables hold bytes; listings want instructions. What is read is what this back end writes,
 *             and as much more as is free: not an instruction of that kind means "no instruction here", never a wrong text.
 * Idea        Prefixes, then opcode, then at most one ModRM operand. Integer instructions are in two switches, since their texts
 *             follow from few bits; vector instructions are rows of decode.def, found by binary search. This shares nothing with the
 *             encoder (emit.c, insts.def), so that the one is a check of the other, as objdump is of both (tests/check.d/38-objdump.sh).
 * Invariants  Never reads beyond the bytes given. Ref: Intel SDM vol. 2, chapter 2 and appendix A. */
#include "isa/x64/x64.h"
#include "base/bisect.h"

enum { NP, P66, PF3, PF2 }; /* mandatory prefix */
enum { LEGACY, VEX, EVEX }; /* encoding of an instruction */
enum { ROW_BOTH, ROW_LEGACY, ROW_VEX, ROW_EVEX, ROW_EVEX0, ROW_EVEX1 }; /* of a row */
enum { M00, M0F, M38, M3A };

typedef struct Row {
    uint8_t map, opcode, prefix, how;
    const char *name, *ops;
} Row;
static const Row rows[] = {
#define X64_DECODE(map, opcode, prefix, how, name, ops) {map, opcode, prefix, ROW_##how, name, ops},
#include "isa/x64/decode.def"
#undef X64_DECODE
};

typedef struct In { /* one instruction being read */
    const uint8_t *p;
    uint32_t n, at; /* bytes there are, taken */
    bool bad;
    uint8_t encoding, map, prefix; /* VEX, EVEX: of the encoding itself */
    bool w, r, x, b, rex;          /* REX bits, whatever has them */
    bool o16, rep, repne, lock, fs, gs;
    unsigned vvvv;
    /* ModRM */
    bool modrm, mem;
    unsigned reg, rm; /* with their fourth bits */
    unsigned base, index, scale;
    int32_t disp;
    bool has_disp, rip;
    int32_t unit; /* what an 8-bit displacement counts in */
    MachDecoded *d;
    StrBuf *o;
    bool first;
} In;
enum { NO_REG = 255 };

static uint32_t take(In *i, unsigned bytes) {
    uint32_t x = 0;
    if (bytes > i->n - i->at) {
        i->bad = true;
        return 0;
    }
    for (unsigned k = 0; k < bytes; k++) x |= (uint32_t)i->p[i->at + k] << 8 * k;
    i->at += bytes;
    return x;
}
static int64_t take_signed(In *i, unsigned bytes) {
    uint32_t x = take(i, bytes);
    return bytes == 1 ? (int8_t)x : bytes == 2 ? (int16_t)x : (int32_t)x;
}

static void read_modrm(In *i) {
    if (i->modrm) return;
    i->modrm = true;
    unsigned m = take(i, 1), mod = m >> 6, rm = m & 7;
    i->reg = (m >> 3 & 7) | (unsigned)i->r << 3;
    i->rm = rm | (unsigned)i->b << 3;
    i->mem = mod != 3;
    if (!i->mem) return;
    i->base = i->rm;
    i->index = NO_REG;
    if (rm == 4) {
        unsigned s = take(i, 1);
        i->scale = s >> 6;
        i->index = (s >> 3 & 7) | (unsigned)i->x << 3;
        if (i->index == 4) i->index = NO_REG;
        i->base = (s & 7) | (unsigned)i->b << 3;
        if ((s & 7) == 5 && mod == 0) i->base = NO_REG;
        if (i->index == NO_REG && (s & 7) != 4 && i->base != NO_REG) i->bad = true;
    } else if (rm == 5 && mod == 0) {
        i->base = NO_REG;
        i->rip = true;
    }
    i->has_disp = mod != 0 || i->base == NO_REG;
    if (mod == 1)
        i->disp = (int32_t)take_signed(i, 1) * i->unit;
    else if (i->has_disp)
        i->disp = (int32_t)take_signed(i, 4);
}

/* ---- text ---- */
static void put_name(In *i, const char *name) {
    uint32_t n = i->o->n;
    sb_puts(i->o, name);
    n = i->o->n - n;
    while (n++ < 6) sb_putc(i->o, ' ');
    sb_putc(i->o, ' ');
    i->first = true;
}
static void sep(In *i) {
    if (!i->first) sb_putc(i->o, ',');
    i->first = false;
}
static void put_hex(In *i, int64_t x) {
    if (x < 0)
        sb_printf(i->o, "-0x%llx", 0ull - (unsigned long long)x);
    else
        sb_printf(i->o, "0x%llx", (unsigned long long)x);
}
static void put_reg(In *i, unsigned r, unsigned bytes) {
    char buf[16];
    static const char *const high[] = {"%ah", "%ch", "%dh", "%bh"};
    sep(i);
    if (bytes == 1 && r >= 4 && r < 8 && !i->rex)
        sb_puts(i->o, high[r - 4]);
    else
        sb_puts(i->o, x64_preg_name((RaPReg)r, bytes, buf));
}
static void put_xmm(In *i, unsigned r) {
    char buf[16];
    sep(i);
    sb_puts(i->o, x64_preg_name((RaPReg)(X64_XMM + r), 16, buf));
}
static void put_mem(In *i) {
    sep(i);
    if (i->fs || i->gs) sb_puts(i->o, i->fs ? "%fs:" : "%gs:");
    if (i->has_disp) put_hex(i, i->disp);
    char buf[16];
    if (i->rip) {
        sb_puts(i->o, "(%rip)");
    } else if (i->base != NO_REG || i->index != NO_REG) {
        sb_putc(i->o, '(');
        if (i->base != NO_REG) sb_puts(i->o, x64_preg_name((RaPReg)i->base, 8, buf));
        if (i->index != NO_REG)
            sb_printf(i->o, ",%s,%u", x64_preg_name((RaPReg)i->index, 8, buf), 1u << i->scale);
        sb_putc(i->o, ')');
    }
}
static void put_rm(In *i, unsigned bytes) {
    if (i->mem)
        put_mem(i);
    else
        put_reg(i, i->rm, bytes);
}
static void put_imm(In *i, int64_t x, unsigned bytes) { /* within an operand of so many bytes */
    sep(i);
    uint64_t u = (uint64_t)x;
    if (bytes < 8) u &= ((uint64_t)1 << 8 * bytes) - 1;
    sb_printf(i->o, "$0x%llx", (unsigned long long)u);
}

/* The name with the suffix that tells the operand's size where no register does. */
static void put_sized(In *i, const char *name, unsigned bytes, bool always) {
    char b[24];
    size_t n = strlen(name);
    memcpy(b, name, n);
    if (i->mem || always) b[n++] = "?bw?l???q"[bytes];
    b[n] = 0;
    put_name(i, b);
}

static unsigned op_size(const In *i) {
    return i->w ? 8 : i->o16 ? 2 : 4;
}
static unsigned imm_of(unsigned bytes) {
    return bytes > 4 ? 4 : bytes;
}

/* ---- rows of the table ---- */
static const char *const predicates[] = {
    "eq",    "lt",     "le",     "unord",    "neq",    "nlt",    "nle",    "ord",
    "eq_uq", "nge",    "ngt",    "false",    "neq_oq", "ge",     "gt",     "true",
    "eq_os", "lt_oq",  "le_oq",  "unord_s",  "neq_us", "nlt_uq", "nle_uq", "ord_s",
    "eq_us", "nge_uq", "ngt_uq", "false_os", "neq_os", "ge_oq",  "gt_oq",  "true_us"};

static bool how_fits(const In *i, const Row *r) {
    switch (r->how) {
    case ROW_BOTH: return i->encoding != EVEX;
    case ROW_LEGACY: return i->encoding == LEGACY;
    case ROW_VEX: return i->encoding == VEX;
    case ROW_EVEX: return i->encoding == EVEX;
    default: return i->encoding == EVEX && i->w == (r->how == ROW_EVEX1);
    }
}

static uint32_t key_of(unsigned map, unsigned opcode, unsigned prefix) {
    return map << 16 | opcode << 8 | prefix;
}

static const Row *find_row(In *i, unsigned opcode) {
    uint32_t key = key_of(i->map, opcode, i->prefix), lo;
    bisect(lo, sizeof rows / sizeof *rows,
           key_of(rows[lo].map, rows[lo].opcode, rows[lo].prefix) < key);
    for (; lo < sizeof rows / sizeof *rows; lo++) {
        const Row *r = &rows[lo];
        if (key_of(r->map, r->opcode, r->prefix) != key) return NULL;
        if (!how_fits(i, r)) continue;
        const char *digit = strchr(r->ops, '/');
        if (!digit) return r;
        if (i->at < i->n && (i->p[i->at] >> 3 & 7) == digit[1] - '0') return r;
    }
    return NULL;
}

static bool uses_vvvv(const In *i, const char *ops) {
    for (; *ops; ops++)
        if (*ops == 'H' || *ops == 'h' || (*ops == 'k' && !i->mem)) return true;
    return false;
}

static void row_name(In *i, const Row *r, uint32_t imm) {
    char b[32];
    size_t n = 0;
    const char *s = r->name;
    if (*s == '=' || *s == '{')
        s += *s == '=';
    else if (i->encoding == VEX)
        b[n++] = 'v';
    for (; *s; s++) {
        if (*s == '~')
            b[n++] = i->w ? 'q' : 'd';
        else if (*s == '&')
            b[n++] = i->w ? 'd' : 's';
        else if (*s == '!' && i->mem)
            b[n++] = i->w ? 'q' : 'l';
        else if (*s == '@' && i->mem && i->encoding == VEX)
            b[n++] = 'x';
        else if (*s == '?')
            for (const char *p = predicates[imm & 31]; *p;) b[n++] = *p++;
        else if (*s != '!' && *s != '@')
            b[n++] = *s;
    }
    b[n] = 0;
    put_name(i, b);
}

static bool row(In *i, unsigned opcode) {
    const Row *r = find_row(i, opcode);
    if (!r) return false;
    if (i->encoding == EVEX) { /* the length of a vector, of a scalar */
        bool scalar = strchr(r->name, '!') || (i->prefix != P66 && strstr(r->name, "usi"));
        i->unit = !scalar ? 16 : strchr(r->ops, 'E') ? (i->w ? 8 : 4) : i->prefix == PF2 ? 8 : 4;
    }
    read_modrm(i);
    bool predicate = strchr(r->name, '?') != NULL;
    uint32_t imm = predicate || strchr(r->ops, 'I') || strchr(r->ops, 'X') ? take(i, 1) : 0;
    if (predicate && imm >= (i->encoding == LEGACY ? 8u : 32u)) return false;
    if (i->encoding != LEGACY && !uses_vvvv(i, r->ops) && i->vvvv) return false;
    row_name(i, r, imm);
    bool legacy = i->encoding == LEGACY;
    unsigned wide = i->w ? 8 : 4;
    for (const char *o = r->ops; *o && *o != '/'; o++) {
        switch (*o) {
        case 'W':
            if (i->mem)
                put_mem(i);
            else
                put_xmm(i, i->rm);
            break;
        case 'V': put_xmm(i, i->reg); break;
        case 'H':
            if (!legacy) put_xmm(i, i->vvvv);
            break;
        case 'k':
            if (!legacy && !i->mem) put_xmm(i, i->vvvv);
            break;
        case 'X': put_xmm(i, imm >> 4); break;
        case '0': put_xmm(i, 0); break;
        case 'I': put_imm(i, imm, 1); break;
        case 'E': put_rm(i, wide); break;
        case 'G': put_reg(i, i->reg, wide); break;
        case 'h': put_reg(i, i->vvvv, wide); break;
        case 'Q': put_rm(i, 4); break;
        case 'g': put_reg(i, i->reg, 4); break;
        default: return false;
        }
    }
    return !(strchr(r->ops, '/') && legacy && i->mem); /* a shift by a constant */
}

/* ---- integers ---- */
static const char *const conditions[16] = {"o", "no", "b", "ae", "e", "ne", "be", "a",
                                           "s", "ns", "p", "np", "l", "ge", "le", "g"};
static const char *const arithmetic[8] = {"add", "or", "adc", "sbb", "and", "sub", "xor", "cmp"};

static void with_condition(char b[16], const char *name, unsigned cc) {
    size_t n = strlen(name);
    memcpy(b, name, n);
    memcpy(b + n, conditions[cc], strlen(conditions[cc]) + 1);
}

static bool branch(In *i, const char *name, unsigned bytes, MachFlow flow) {
    int64_t by = take_signed(i, bytes);
    put_name(i, name);
    i->d->flow = flow;
    i->d->has_target = true;
    i->d->target = (uint64_t)by; /* the end is added when it is known */
    return true;
}

/* op reg, r/m or r/m, reg */
static bool two(In *i, const char *name, unsigned bytes, bool to_reg) {
    read_modrm(i);
    put_name(i, name);
    if (to_reg) {
        put_rm(i, bytes);
        put_reg(i, i->reg, bytes);
    } else {
        put_reg(i, i->reg, bytes);
        put_rm(i, bytes);
    }
    return true;
}

static bool group_ff(In *i) {
    read_modrm(i);
    switch (i->reg & 7) {
    case 2:
    case 4:
        put_name(i, (i->reg & 7) == 2 ? "call" : "jmp");
        sb_putc(i->o, '*');
        put_rm(i, 8);
        i->d->flow = (i->reg & 7) == 2 ? MACH_FLOW_CALL : MACH_FLOW_JUMP;
        return true;
    case 6:
        put_sized(i, "push", 8, false);
        put_rm(i, 8);
        return true;
    default: return false;
    }
}

static bool group_f7(In *i, unsigned bytes) {
    static const char *const names[] = {"test", NULL, "not", "neg", "mul", "imul", "div", "idiv"};
    read_modrm(i);
    unsigned g = i->reg & 7;
    if (!names[g]) return false;
    put_sized(i, names[g], bytes, false);
    if (g == 0) put_imm(i, take_signed(i, imm_of(bytes)), bytes);
    put_rm(i, bytes);
    return true;
}

static bool shift(In *i, unsigned opcode) {
    static const char *const names[] = {"rol", "ror", "rcl", "rcr", "shl", "shr", NULL, "sar"};
    unsigned bytes = opcode & 1 ? op_size(i) : 1;
    read_modrm(i);
    const char *name = names[i->reg & 7];
    if (!name) return false;
    put_sized(i, name, bytes, false);
    if (opcode < 0xD0)
        put_imm(i, take(i, 1), 1);
    else if (opcode >= 0xD2)
        put_reg(i, RCX, 1);
    put_rm(i, bytes);
    return true;
}

static bool plain(In *i, const char *name) {
    sb_puts(i->o, name);
    return true;
}

static bool one_byte(In *i, unsigned op) {
    char b[16];
    unsigned size = op_size(i), bytes = op & 1 ? size : 1, low = (op & 7) | (unsigned)i->b << 3;
    if (op < 0x40 && (op & 7) < 4) return two(i, arithmetic[op >> 3], bytes, op & 2);
    if (op >= 0x50 && op < 0x60) {
        put_name(i, op < 0x58 ? "push" : "pop");
        put_reg(i, low, 8);
        return true;
    }
    if (op >= 0x70 && op < 0x80) {
        with_condition(b, "j", op & 15);
        return branch(i, b, 1, MACH_FLOW_BRANCH);
    }
    if (op >= 0xB8 && op < 0xC0) {
        if (i->w) {
            uint64_t lo = take(i, 4), x = lo | (uint64_t)take(i, 4) << 32;
            put_name(i, "movabs");
            put_imm(i, (int64_t)x, 8);
        } else {
            put_name(i, "mov");
            put_imm(i, take(i, size), size);
        }
        put_reg(i, low, size);
        return true;
    }
    switch (op) {
    case 0x63:
        read_modrm(i);
        if (!i->w) return false;
        put_name(i, "movslq");
        put_rm(i, 4);
        put_reg(i, i->reg, 8);
        return true;
    case 0x69:
    case 0x6B: {
        read_modrm(i);
        int64_t k = take_signed(i, op == 0x6B ? 1 : imm_of(size));
        put_name(i, "imul");
        put_imm(i, k, size);
        put_rm(i, size);
        put_reg(i, i->reg, size);
        return true;
    }
    case 0x80:
    case 0x81:
    case 0x83: {
        read_modrm(i);
        int64_t k = take_signed(i, op == 0x81 ? imm_of(bytes) : 1);
        put_sized(i, arithmetic[i->reg & 7], bytes, false);
        put_imm(i, k, bytes);
        put_rm(i, bytes);
        return true;
    }
    case 0x84:
    case 0x85: return two(i, "test", bytes, false);
    case 0x86:
    case 0x87: return two(i, "xchg", bytes, false);
    case 0x88:
    case 0x89: return two(i, "mov", bytes, false);
    case 0x8A:
    case 0x8B: return two(i, "mov", bytes, true);
    case 0x8D:
        read_modrm(i);
        if (!i->mem) return false;
        if (i->o16) { /* a prefix for the linker, in the sequence for thread-local storage */
            if (!i->w) return false;
            sb_puts(i->o, "data16 ");
        }
        put_name(i, "lea");
        put_mem(i);
        put_reg(i, i->reg, i->w ? 8 : 4);
        return true;
    case 0x90: return i->b ? false : plain(i, i->o16 ? "xchg   %ax,%ax" : "nop");
    case 0x99: return plain(i, i->w ? "cqto" : i->o16 ? "cwtd" : "cltd");
    case 0xA5:
        if (!i->w) return false;
        return plain(i,
                     i->rep ? "rep movsq %ds:(%rsi),%es:(%rdi)" : "movsq  %ds:(%rsi),%es:(%rdi)");
    case 0xC0:
    case 0xC1:
    case 0xD0:
    case 0xD1:
    case 0xD2:
    case 0xD3: return shift(i, op);
    case 0xC2: {
        uint32_t k = take(i, 2);
        put_name(i, "ret");
        put_imm(i, k, 2);
        i->d->flow = MACH_FLOW_RETURN;
        return true;
    }
    case 0xC3: i->d->flow = MACH_FLOW_RETURN; return plain(i, "ret");
    case 0xC6:
    case 0xC7: {
        read_modrm(i);
        if (i->reg & 7) return false;
        int64_t k = take_signed(i, imm_of(bytes));
        put_sized(i, "mov", bytes, false);
        put_imm(i, k, bytes);
        put_rm(i, bytes);
        return true;
    }
    case 0xCC: return plain(i, "int3");
    case 0xE8:
        if (i->o16 && i->w) sb_puts(i->o, "data16 rex.W ");
        return branch(i, "call", 4, MACH_FLOW_CALL);
    case 0xE9: return branch(i, "jmp", 4, MACH_FLOW_JUMP);
    case 0xEB: return branch(i, "jmp", 1, MACH_FLOW_JUMP);
    case 0xF6:
    case 0xF7: return group_f7(i, bytes);
    case 0xFF: return group_ff(i);
    default: return false;
    }
}

/* movzb, movzw, movsb, movsw */
static bool extend(In *i, unsigned op) {
    unsigned size = op_size(i), from = op & 1 ? 2 : 1;
    char b[8] = {'m',
                 'o',
                 'v',
                 op < 0xB8 ? 'z' : 's',
                 op & 1 ? 'w' : 'b',
                 size == 8 ? 'q' : size == 2 ? 'w' : 'l',
                 0};
    read_modrm(i);
    put_name(i, b);
    put_rm(i, from);
    put_reg(i, i->reg, size);
    return true;
}

static bool two_bytes(In *i, unsigned op) {
    char b[16];
    unsigned size = op_size(i), bytes = op & 1 ? size : 1;
    if (op >= 0x40 && op < 0x50) {
        with_condition(b, "cmov", op & 15);
        return two(i, b, size, true);
    }
    if (op >= 0x80 && op < 0x90) {
        with_condition(b, "j", op & 15);
        return branch(i, b, 4, MACH_FLOW_BRANCH);
    }
    if (op >= 0x90 && op < 0xA0) {
        with_condition(b, "set", op & 15);
        read_modrm(i);
        put_name(i, b);
        put_rm(i, 1);
        return true;
    }
    if (op >= 0xC8 && op < 0xD0) {
        put_name(i, "bswap");
        put_reg(i, (op & 7) | (unsigned)i->b << 3, size);
        return true;
    }
    switch (op) {
    case 0x0B: i->d->flow = MACH_FLOW_TRAP; return plain(i, "ud2");
    case 0x1F:
        read_modrm(i);
        if (i->reg & 7) return false;
        put_name(i, i->o16 ? "nopw" : "nopl");
        put_rm(i, size);
        return true;
    case 0xA3: return two(i, "bt", size, false);
    case 0xAE:
        if (take(i, 1) != 0xF0) return false;
        return plain(i, "mfence");
    case 0xAF: return two(i, "imul", size, true);
    case 0xB0:
    case 0xB1: return two(i, "cmpxchg", bytes, false);
    case 0xC0:
    case 0xC1: return two(i, "xadd", bytes, false);
    case 0xB6:
    case 0xB7:
    case 0xBE:
    case 0xBF: return extend(i, op);
    case 0xB8: return i->rep && two(i, "popcnt", size, true);
    case 0xBC: return two(i, i->rep ? "tzcnt" : "bsf", size, true);
    case 0xBD: return two(i, i->rep ? "lzcnt" : "bsr", size, true);
    case 0xC7:
        read_modrm(i);
        if ((i->reg & 7) != 1 || !i->mem || !i->w) return false;
        put_name(i, "cmpxchg16b");
        put_mem(i);
        return true;
    default: return false;
    }
}

/* ---- prefixes ---- */
static void read_prefixes(In *i) {
    for (;; i->at++) {
        unsigned c = i->at < i->n ? i->p[i->at] : 0;
        if (c == 0x66)
            i->o16 = true;
        else if (c == 0xF2)
            i->repne = true;
        else if (c == 0xF3)
            i->rep = true;
        else if (c == 0xF0)
            i->lock = true;
        else if (c == 0x64)
            i->fs = true;
        else if (c == 0x65)
            i->gs = true;
        else
            break;
    }
    unsigned c = i->at < i->n ? i->p[i->at] : 0;
    if ((c & 0xF0) == 0x40) {
        i->rex = true;
        i->w = c >> 3 & 1;
        i->r = c >> 2 & 1;
        i->x = c >> 1 & 1;
        i->b = c & 1;
        i->at++;
    }
}

static void read_vex(In *i, bool three) {
    unsigned a = take(i, 1), b = three ? take(i, 1) : a;
    i->encoding = VEX;
    i->r = !(a >> 7);
    i->map = M0F;
    if (three) {
        i->x = !(a >> 6 & 1);
        i->b = !(a >> 5 & 1);
        i->map = a & 31;
        i->w = b >> 7;
    }
    i->vvvv = ~b >> 3 & 15;
    static const uint8_t prefix[] = {NP, P66, PF3, PF2};
    i->prefix = prefix[b & 3];
    i->bad |= (b & 4) || i->map < M0F || i->map > M3A; /* 256 bits: not ours */
}

static void read_evex(In *i) {
    unsigned a = take(i, 1), b = take(i, 1), c = take(i, 1);
    i->encoding = EVEX;
    i->r = !(a >> 7);
    i->x = !(a >> 6 & 1);
    i->b = !(a >> 5 & 1);
    i->map = a & 3;
    i->w = b >> 7;
    i->vvvv = ~b >> 3 & 15;
    static const uint8_t prefix[] = {NP, P66, PF3, PF2};
    i->prefix = prefix[b & 3];
    i->bad |= (a & 0x1C) != 0x10 || !(b & 4) || c != 8 || i->map == 0;
}

static bool decode(In *i) {
    read_prefixes(i);
    unsigned op = take(i, 1);
    if (!i->rex && !i->o16 && !i->rep && !i->repne && !i->lock &&
        (op == 0xC4 || op == 0xC5 || op == 0x62)) {
        if (op == 0x62)
            read_evex(i);
        else
            read_vex(i, op == 0xC4);
        op = take(i, 1);
        return !i->bad && row(i, op);
    }
    if (i->lock) sb_puts(i->o, "lock ");
    if (op != 0x0F) return one_byte(i, op);
    op = take(i, 1);
    i->map = M0F;
    i->prefix = i->rep ? PF3 : i->repne ? PF2 : i->o16 ? P66 : NP;
    if (op == 0x38 || op == 0x3A) {
        i->map = op == 0x38 ? M38 : M3A;
        op = take(i, 1);
        return row(i, op);
    }
    return row(i, op) || two_bytes(i, op);
}

uint32_t x64_decode(const uint8_t *p, size_t n, uint64_t at, MachDecoded *d, StrBuf *out) {
    In i = {.p = p, .n = n > 15 ? 15 : (uint32_t)n, .unit = 1, .d = d, .o = out};
    uint32_t begin = out->n;
    *d = (MachDecoded){.flow = MACH_FLOW_NEXT};
    if (!decode(&i) || i.bad) {
        out->n = begin;
        return 0;
    }
    if (d->has_target) {
        d->target += at + i.at;
    } else if (i.modrm && i.mem && i.rip) {
        d->has_target = d->is_data = true;
        d->target = at + i.at + (uint64_t)(int64_t)i.disp;
    }
    return i.at;
}

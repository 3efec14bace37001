/* dwarf/nat_expr.c — expressions for the module's machine to expressions for the process.
 *
 * Idea        Operators are copied one by one, while the kind of each value on the stack is followed: a number of the module's, which may
 *             be an address in its memory, or an address of the process. A number becomes an address where memory is read and at the
 *             end; what stands for a local becomes the register or the slot that has it.
 * Invariants  Of a number the lower 32 bits count, unless `clean`: when it becomes an address, the others are cut off.
 * Cost        linear. An expression that does what is not understood here is not translated.
 * Ref.        DWARF 5, 2.5 and 2.6; DWARF for WebAssembly (yurydelendik.github.io/webassembly-dwarf): DW_OP_WASM_location. */
#include "dwarf/nat_int.h"

enum {
    OP_ADDR = 0x03,
    OP_DEREF = 0x06,
    OP_CONST1U = 0x08,
    OP_CONST8S = 0x0f,
    OP_CONSTU = 0x10,
    OP_CONSTS = 0x11,
    OP_CONST4U = 0x0c,
    OP_DUP = 0x12,
    OP_DROP = 0x13,
    OP_ABS = 0x19,
    OP_AND = 0x1a,
    OP_MINUS = 0x1c,
    OP_MUL = 0x1e,
    OP_NEG = 0x1f,
    OP_NOT = 0x20,
    OP_PLUS = 0x22,
    OP_PLUS_UCONST = 0x23,
    OP_XOR = 0x27,
    OP_EQ = 0x29,
    OP_NE = 0x2e,
    OP_LIT0 = 0x30,
    OP_LIT31 = 0x4f,
    OP_REG0 = 0x50,
    OP_BREG0 = 0x70,
    OP_REGX = 0x90,
    OP_FBREG = 0x91,
    OP_BREGX = 0x92,
    OP_PIECE = 0x93,
    OP_DEREF_SIZE = 0x94,
    OP_NOP = 0x96,
    OP_IMPLICIT_VALUE = 0x9e,
    OP_STACK_VALUE = 0x9f,
    OP_ADDRX = 0xa1,
    OP_WASM_LOCATION = 0xed
};
enum { IN_LOCAL, IN_GLOBAL, IN_GLOBAL_U32 = 3 };
enum { MOST_STACK = 16, MOST_CODE = 1024 };

typedef enum Kind { NUMBER, CLEAN /* a number of 32 bits */, ADDRESS } Kind;
typedef struct Tx {
    Nat *k;
    NatExpr *x;
    NatUse use;
    bool collect; /* only find out what is needed */
    bool bad;
    Kind stack[MOST_STACK];
    unsigned sp;
    uint32_t only;   /* 1 + local, if that is all that there is so far */
    bool value, any; /* the part ends with a value; there was something in it */
    bool pieces;
} Tx;

static void byte(Tx *t, unsigned b) {
    if (!t->collect) vec_push(t->k->mem, &t->k->expr, (uint8_t)b);
}
static void uleb(Tx *t, uint64_t x) {
    if (!t->collect) leb_put_u64(t->k->mem, &t->k->expr, x);
}
static void sleb(Tx *t, int64_t x) {
    if (!t->collect) leb_put_s64(t->k->mem, &t->k->expr, x);
}
static void fail(Tx *t) {
    t->bad = true;
}
static void push(Tx *t, Kind kind) {
    if (t->sp == MOST_STACK)
        fail(t);
    else
        t->stack[t->sp++] = kind;
}
static Kind pop(Tx *t) {
    if (!t->sp) {
        fail(t);
        return NUMBER;
    }
    return t->stack[--t->sp];
}

static void put_breg(Tx *t, uint32_t reg, int64_t off) {
    if (reg < 32) {
        byte(t, OP_BREG0 + reg);
    } else {
        byte(t, OP_BREGX);
        uleb(t, reg);
    }
    sleb(t, off);
}

static DwarfHome home_of(Tx *t, uint32_t local) {
    NatExpr *x = t->x;
    uint32_t i = 0;
    while (i < x->nneeds && x->need[i] != local) i++;
    if (i == NAT_MOST_NEEDS) {
        fail(t);
        return (DwarfHome){0};
    }
    if (i == x->nneeds) {
        x->need[x->nneeds++] = local;
        x->home[i] = (DwarfHome){0};
    }
    return x->home[i];
}

static void put_number(Tx *t, uint64_t x) {
    if (x <= OP_LIT31 - OP_LIT0) {
        byte(t, OP_LIT0 + (unsigned)x);
    } else {
        byte(t, OP_CONSTU);
        uleb(t, x);
    }
}

/* ---- the module's memory and variables ---- */
static void put_local(Tx *t, uint32_t local, uint64_t plus) { /* its value, 64 bits */
    DwarfHome home = home_of(t, local);
    if (home.constant) {
        if (home.constant > 8) fail(t);
        put_number(t, home.bits[0] + plus);
        return;
    }
    if (home.place >= 0) {
        if ((uint32_t)home.place >= t->k->n->vectors) fail(t);
        put_breg(t, (uint32_t)home.place, (int64_t)plus);
        return;
    }
    put_breg(t, t->k->n->frame, home.place);
    byte(t, OP_DEREF);
    if (plus) {
        byte(t, OP_PLUS_UCONST);
        uleb(t, plus);
    }
}

static void put_memory(Tx *t) {
    put_local(t, DWARF_CONTEXT, t->k->n->memory);
    byte(t, OP_DEREF);
    byte(t, OP_DEREF);
}

static void put_global(Tx *t, uint64_t index) {
    const DwarfNative *n = t->k->n;
    if (index >= n->nglobals) {
        fail(t);
        return;
    }
    put_local(t, DWARF_CONTEXT, n->globals + 16 * index);
    if (index < n->imported_globals) byte(t, OP_DEREF);
    byte(t, OP_DEREF_SIZE);
    byte(t, 4);
    push(t, CLEAN);
}

static void to_address(Tx *t) {
    Kind kind = pop(t);
    if (kind == NUMBER) {
        byte(t, OP_CONST4U);
        for (unsigned i = 0; i < 4; i++) byte(t, 0xff);
        byte(t, OP_AND);
    }
    if (kind != ADDRESS) {
        put_memory(t);
        byte(t, OP_PLUS);
    }
    push(t, ADDRESS);
}

static void to_number(Tx *t) {
    Kind kind = pop(t);
    if (kind == ADDRESS) {
        put_memory(t);
        byte(t, OP_MINUS);
    }
    push(t, kind == CLEAN ? CLEAN : NUMBER);
}

/* As to_address, but 0 stays 0: the memory's address is multiplied by whether it is not. */
static void to_pointer(Tx *t) {
    Kind kind = pop(t);
    if (kind != ADDRESS) {
        if (kind == NUMBER) {
            byte(t, OP_CONST4U);
            for (unsigned i = 0; i < 4; i++) byte(t, 0xff);
            byte(t, OP_AND);
        }
        byte(t, OP_DUP);
        byte(t, OP_LIT0);
        byte(t, OP_NE);
        put_memory(t);
        byte(t, OP_MUL);
        byte(t, OP_PLUS);
    }
    push(t, ADDRESS);
}

/* ---- the end of a location, or of a part of one ---- */
static void end_constant(Tx *t, const DwarfHome *x) {
    if (x->constant <= 8) {
        put_number(t, x->bits[0]);
        byte(t, OP_STACK_VALUE);
        return;
    }
    byte(t, OP_IMPLICIT_VALUE);
    uleb(t, x->constant);
    for (unsigned i = 0; i < x->constant; i++) byte(t, (unsigned)(x->bits[i / 8] >> i % 8 * 8));
}

static void end_local(Tx *t) {
    uint32_t local = t->only - 1;
    DwarfHome home = home_of(t, local);
    if (t->use == NAT_VALUE) {
        if (home.constant) {
            end_constant(t, &home);
        } else if (home.place < 0) {
            put_breg(t, t->k->n->frame, home.place);
        } else if (home.place < 32) {
            byte(t, OP_REG0 + (unsigned)home.place);
        } else {
            byte(t, OP_REGX);
            uleb(t, (uint32_t)home.place);
        }
        return;
    }
    put_local(t, local, 0);
    push(t, NUMBER);
    if (t->use == NAT_FRAME) {
        to_address(t);
        return;
    }
    to_pointer(t);
    byte(t, OP_STACK_VALUE);
}

static void end_part(Tx *t) {
    if (!t->any) return;
    if (t->only) {
        end_local(t);
    } else if (!t->sp) {
        fail(t);
    } else if (t->use == NAT_FRAME) {
        to_address(t);
    } else if (t->value) {
        if (t->use == NAT_POINTER)
            to_pointer(t);
        else
            to_number(t);
        byte(t, OP_STACK_VALUE);
    } else {
        to_address(t);
        if (t->use == NAT_POINTER) {
            pop(t);
            byte(t, OP_DEREF_SIZE);
            byte(t, 4);
            push(t, CLEAN);
            to_pointer(t);
            byte(t, OP_STACK_VALUE);
        }
    }
}

/* ---- operators ---- */
/* A local that is more than all there is: its value. */
static void settle(Tx *t) {
    if (!t->only) return;
    put_local(t, t->only - 1, 0);
    push(t, NUMBER);
    t->only = 0;
}

static void binary(Tx *t, unsigned op) {
    if (t->sp < 2) {
        fail(t);
        return;
    }
    Kind b = t->stack[t->sp - 1], a = t->stack[t->sp - 2];
    if (b == ADDRESS && (a == ADDRESS || op != OP_PLUS)) {
        to_number(t);
        b = NUMBER;
    }
    if (a == ADDRESS && op != OP_PLUS && op != OP_MINUS) fail(t);
    t->sp -= 2;
    byte(t, op);
    push(t, a == ADDRESS || b == ADDRESS ? ADDRESS : NUMBER);
}

static void copy(Tx *t, const DwCur *from, const DwCur *to) {
    for (const uint8_t *p = from->p; p < to->p; p++) byte(t, *p);
}

static void constant(Tx *t, uint64_t x) {
    put_number(t, x);
    push(t, x <= UINT32_MAX ? CLEAN : NUMBER);
}

static void wasm_location(Tx *t, DwCur *c) {
    unsigned kind = (unsigned)dw_uint(c, 1);
    uint64_t index = kind == IN_GLOBAL_U32 ? dw_uint(c, 4) : dw_uleb(c);
    if (kind == IN_LOCAL && index < DWARF_CONTEXT) {
        if (t->any) {
            put_local(t, (uint32_t)index, 0);
            push(t, NUMBER);
        } else {
            t->only = 1 + (uint32_t)index;
        }
    } else if (kind == IN_GLOBAL || kind == IN_GLOBAL_U32) {
        put_global(t, index);
    } else {
        fail(t);
    }
}

static void address(Tx *t, const DwUnit *u, DwCur *c, bool indexed) {
    DwValue v = {.class = DW_CLASS_ADDRESS_INDEX};
    uint64_t a = 0;
    v.x = indexed ? dw_uleb(c) : dw_uint(c, u->addr_size);
    if (!indexed) v.class = DW_CLASS_ADDRESS;
    if (!dw_value_address(t->k->w, u, &v, &a)) fail(t);
    constant(t, a);
}

static void piece(Tx *t, uint64_t bytes) {
    if (t->use != NAT_VALUE) fail(t);
    end_part(t);
    byte(t, OP_PIECE);
    uleb(t, bytes);
    t->sp = t->only = 0;
    t->any = t->value = false;
    t->pieces = true;
}

static void one(Tx *t, const DwUnit *u, DwCur *c) {
    DwCur from = *c;
    unsigned op = (unsigned)dw_uint(c, 1);
    if (t->value && op != OP_PIECE) fail(t);
    if (op == OP_PIECE) {
        piece(t, dw_uleb(c));
        return;
    }
    if (op == OP_STACK_VALUE) {
        t->value = true;
        return;
    }
    if (op == OP_NOP) return;
    settle(t);
    if (op == OP_WASM_LOCATION) {
        wasm_location(t, c);
    } else if (op == OP_ADDR || op == OP_ADDRX) {
        address(t, u, c, op == OP_ADDRX);
    } else if (op == OP_FBREG) {
        dw_sleb(c);
        if (!t->x->has_frame) fail(t);
        copy(t, &from, c);
        push(t, ADDRESS);
    } else if (op >= OP_LIT0 && op <= OP_LIT31) {
        byte(t, op);
        push(t, CLEAN);
    } else if (op >= OP_CONST1U && op <= OP_CONST8S) {
        dw_uint(c, 1u << ((op - OP_CONST1U) / 2));
        copy(t, &from, c);
        push(t, NUMBER);
    } else if (op == OP_CONSTU || op == OP_CONSTS) {
        if (op == OP_CONSTU)
            dw_uleb(c);
        else
            dw_sleb(c);
        copy(t, &from, c);
        push(t, NUMBER);
    } else if (op == OP_PLUS_UCONST) {
        dw_uleb(c);
        copy(t, &from, c);
        push(t, pop(t) == ADDRESS ? ADDRESS : NUMBER);
    } else if (op == OP_DEREF || op == OP_DEREF_SIZE) {
        unsigned size = op == OP_DEREF ? 4 : (unsigned)dw_uint(c, 1);
        to_address(t);
        pop(t);
        byte(t, OP_DEREF_SIZE);
        byte(t, size);
        push(t, size <= 4 ? CLEAN : NUMBER);
    } else if (op == OP_DUP) {
        Kind k = pop(t);
        push(t, k);
        push(t, k);
        byte(t, op);
    } else if (op == OP_DROP) {
        pop(t);
        byte(t, op);
    } else if (op == OP_ABS || op == OP_NEG || op == OP_NOT) {
        to_number(t);
        byte(t, op);
    } else if (op >= OP_AND && op <= OP_XOR) {
        binary(t, op);
    } else if (op >= OP_EQ && op <= OP_NE) {
        binary(t, op);
    } else if (op == OP_IMPLICIT_VALUE && t->use == NAT_VALUE && !t->any) {
        dw_skip(c, dw_uleb(c));
        copy(t, &from, c);
        if (dw_left(c) || t->pieces) fail(t);
        return; /* complete as it is */
    } else {
        fail(t);
    }
    t->any = true;
}

static bool translate(Tx *t, const DwUnit *u, const uint8_t *p, uint64_t n) {
    DwCur c = {p, p + n, false};
    vec_clear(&t->k->expr);
    if (!n || n > MOST_CODE) return false;
    while (!c.bad && !t->bad && dw_left(&c) && dw_pay(t->k->w, 1)) one(t, u, &c);
    if (dw_left(&c)) fail(t);
    if (!t->bad) end_part(t);
    return !c.bad && !t->bad;
}

bool nat_expr_needs(Nat *k, const DwUnit *u, const uint8_t *p, uint64_t n, NatUse use, NatExpr *x) {
    Tx t = {.k = k, .x = x, .use = use, .collect = true};
    x->nneeds = 0;
    return translate(&t, u, p, n);
}

bool nat_expr(Nat *k, const DwUnit *u, const uint8_t *p, uint64_t n, NatUse use, NatExpr *x) {
    Tx t = {.k = k, .x = x, .use = use};
    return translate(&t, u, p, n);
}

void nat_expr_memory(Nat *k) {
    NatExpr x = {.need = {DWARF_CONTEXT}, .nneeds = 1, .home = {{.place = k->n->context}}};
    Tx t = {.k = k, .x = &x};
    vec_clear(&k->expr);
    put_memory(&t);
    byte(&t, OP_STACK_VALUE);
}

bool nat_expr_is_plain(const uint8_t *p, uint64_t n) {
    DwCur c = {p, p + n, false};
    while (!c.bad && dw_left(&c)) {
        unsigned op = (unsigned)dw_uint(&c, 1);
        if (op >= OP_CONST1U && op <= OP_CONST8S)
            dw_uint(&c, 1u << ((op - OP_CONST1U) / 2));
        else if (op == OP_CONSTU || op == OP_CONSTS || op == OP_PLUS_UCONST)
            dw_uleb(&c);
        else if (!(op >= OP_LIT0 && op <= OP_LIT31) && !(op >= OP_ABS && op <= OP_XOR) &&
                 op != OP_DUP && op != OP_DROP)
            return false;
    }
    return !c.bad && n;
}

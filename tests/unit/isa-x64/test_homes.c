/* Where labelled variables are: random functions call a probe, which reads each variable where the compiler says that it is at the
 * call, and compares it with what the same function computed here. Both allocators, random allocation. */
#include "exec.h"

enum { VARS = 9, PARAMS = 4, NODES = 400, EVENTS = 4000 };
static uint64_t seed;
static uint32_t pick(uint32_t n) {
    return (uint32_t)(rnd(&seed) >> 33) % n;
}

/* ---- random functions: a tree of statements ---- */
typedef enum Kind { SET, IF, LOOP, PROBE } Kind;
typedef struct Node {
    Kind kind;
    uint8_t x, y, z, op;
    int64_t k;
    uint32_t body, other, next; /* 0 = none */
} Node;
static Node node[NODES];
static uint32_t nnodes;

static uint32_t make_list(unsigned depth, unsigned most) {
    uint32_t first = 0, last = 0;
    for (unsigned n = 1 + pick(most); n-- && nnodes + 8 < NODES;) {
        uint32_t i = nnodes++;
        unsigned what = pick(10);
        node[i] = (Node){.kind = what < 5                 ? SET
                                 : what < 8 || depth == 0 ? PROBE
                                 : what == 8              ? IF
                                                          : LOOP,
                         .x = (uint8_t)pick(VARS),
                         .y = (uint8_t)pick(VARS),
                         .z = (uint8_t)pick(VARS),
                         .op = (uint8_t)pick(6),
                         .k = (int64_t)rnd(&seed) >> (pick(4) * 16)};
        if (node[i].kind == IF || node[i].kind == LOOP) {
            node[i].body = make_list(depth - 1, 5);
            node[i].other = node[i].kind == IF && pick(2) ? make_list(depth - 1, 4) : 0;
        }
        if (last)
            node[last].next = i;
        else
            first = i;
        last = i;
    }
    return first;
}

/* ---- what happens ---- */
typedef struct Event {
    uint32_t id;
    int64_t v[VARS];
} Event;
static Event event[EVENTS];
static uint32_t nevents, at_event;

static int64_t compute(const Node *n, const int64_t *v) {
    uint64_t y = (uint64_t)v[n->y], z = (uint64_t)v[n->z];
    switch (n->op) {
    case 0: return (int64_t)(y + z);
    case 1: return (int64_t)(y - z);
    case 2: return (int64_t)(y ^ (uint64_t)n->k);
    case 3: return (int64_t)(y * (z | 1));
    case 4: return (int64_t)y; /* a copy */
    default: return n->k;
    }
}
static void simulate(uint32_t i, int64_t *v) {
    for (; i; i = node[i].next) {
        const Node *n = &node[i];
        if (n->kind == SET) v[n->x] = compute(n, v);
        if (n->kind == PROBE && nevents < EVENTS) {
            event[nevents].id = i;
            memcpy(event[nevents++].v, v, sizeof event[0].v);
        }
        if (n->kind == IF) simulate(v[n->y] & 1 ? n->body : n->other, v);
        if (n->kind == LOOP)
            for (int k = 0; k < 2; k++) simulate(n->body, v);
    }
}

/* ---- the probe ---- */
void probe_entry(void);
__asm__(".text\n"
        ".globl probe_entry\n"
        "probe_entry:\n"
        "    mov (%rsp), %rsi\n"
        "    push %r15\n    push %r14\n    push %r13\n    push %r12\n    push %rbx\n    push %rbp\n"
        "    mov %rsp, %rdx\n"
        "    sub $8, %rsp\n"
        "    call probe\n"
        "    add $8, %rsp\n"
        "    pop %rbp\n    pop %rbx\n    pop %r12\n    pop %r13\n    pop %r14\n    pop %r15\n"
        "    ret\n");
static Exec *probed;
static uint64_t known, asked;

void probe(uint64_t id, uint64_t ret, const uint64_t *regs);
void probe(uint64_t id, uint64_t ret, const uint64_t *regs) {
    static const int8_t saved[16] = {
        [RBP] = 1, [RBX] = 2, [R12] = 3, [R13] = 4, [R14] = 5, [R15] = 6};
    if (at_event >= EVENTS) return;
    if (at_event >= nevents || event[at_event].id != id) fail_msg("another event: a broken test");
    const Event *e = &event[at_event++];
    uint32_t pc = (uint32_t)(ret - 1 - (uint64_t)(uintptr_t)probed->code - probed->at);
    asked += VARS;
    for (uint32_t i = 0; i < probed->out.num_homes; i++) {
        const MachHome *h = &probed->out.homes[i];
        if (i && h[-1].label == h->label && h[-1].end > h->start) fail_msg("homes overlap");
        if (pc < h->start || pc >= h->end || h->label >= VARS) continue;
        uint64_t x;
        if (h->constant) {
            if (h->constant != 8 || h->bits[1]) fail_msg("a constant of %u bytes", h->constant);
            x = h->bits[0];
        } else if (h->place >= 0) {
            if (h->place >= 16 || !saved[h->place])
                fail_msg("variable %u in register %d, which the call destroys", h->label, h->place);
            x = regs[saved[h->place] - 1];
        } else {
            memcpy(&x, (const char *)(uintptr_t)(regs[0] + (uint64_t)(int64_t)h->place), 8);
        }
        if (x != (uint64_t)e->v[h->label])
            fail_msg("event %u: variable %u is 0x%llx in place %d, not 0x%llx", at_event, h->label,
                     (unsigned long long)x, h->place, (unsigned long long)e->v[h->label]);
        known++;
    }
}

/* ---- the same function as code ---- */
static ClifSigRef probe_sig;
static ClifValue use(Exec *x, unsigned v) {
    return cb_use_var(&x->b, (ClifVar){v});
}
static void define(Exec *x, unsigned var, ClifValue v) {
    cb_def_var(&x->b, (ClifVar){var}, v);
    cb_label(&x->b, var, v);
}
static ClifValue constant(Exec *x, int64_t k) {
    return cb_iconst(&x->b, CLIF_I64, k);
}
static ClifValue computed(Exec *x, const Node *n) {
    ClifBuilder *b = &x->b;
    switch (n->op) {
    case 0: return cb_binary(b, CLIF_OP_IADD, use(x, n->y), use(x, n->z));
    case 1: return cb_binary(b, CLIF_OP_ISUB, use(x, n->y), use(x, n->z));
    case 2: return cb_binary(b, CLIF_OP_BXOR, use(x, n->y), constant(x, n->k));
    case 3:
        return cb_binary(b, CLIF_OP_IMUL, use(x, n->y),
                         cb_binary(b, CLIF_OP_BOR, use(x, n->z), constant(x, 1)));
    case 4: return use(x, n->y);
    default: return constant(x, n->k);
    }
}

static void generate(Exec *x, uint32_t i, unsigned depth) {
    ClifBuilder *b = &x->b;
    for (; i; i = node[i].next) {
        const Node *n = &node[i];
        if (n->kind == SET) define(x, n->x, computed(x, n));
        if (n->kind == PROBE) {
            ClifValue arg[2] = {constant(x, i), use(x, n->x)}; /* which may be its last use */
            cb_call_indirect(b, probe_sig, constant(x, (int64_t)(intptr_t)probe_entry), arg, 2);
        }
        if (n->kind == IF) {
            ClifBlock yes = cb_create_block(b), no = cb_create_block(b), end = cb_create_block(b);
            ClifValue c = cb_binary(b, CLIF_OP_BAND, use(x, n->y), constant(x, 1));
            cb_brif(b, c, yes, NULL, 0, no, NULL, 0);
            ClifBlock arm[2] = {yes, no};
            for (int k = 0; k < 2; k++) {
                cb_seal(b, arm[k]);
                cb_switch_to(b, arm[k]);
                generate(x, k ? n->other : n->body, depth);
                cb_jump(b, end, NULL, 0);
            }
            cb_seal(b, end);
            cb_switch_to(b, end);
        }
        if (n->kind == LOOP) { /* twice; the counter is a variable without a label */
            ClifVar count = cb_declare_var(b, CLIF_I64);
            ClifBlock head = cb_create_block(b), end = cb_create_block(b);
            cb_def_var(b, count, constant(x, 0));
            cb_jump(b, head, NULL, 0);
            cb_switch_to(b, head);
            generate(x, n->body, depth + 1);
            ClifValue next = cb_binary(b, CLIF_OP_IADD, cb_use_var(b, count), constant(x, 1));
            cb_def_var(b, count, next);
            cb_brif(b, cb_icmp(b, CLIF_ULT, next, constant(x, 2)), head, NULL, 0, end, NULL, 0);
            cb_seal(b, head);
            cb_seal(b, end);
            cb_switch_to(b, end);
        }
    }
}

static void build(Exec *x, uint32_t list) {
    ClifAbiParam p[PARAMS], r = {.type = CLIF_I64};
    for (unsigned k = 0; k < PARAMS; k++) p[k] = (ClifAbiParam){.type = CLIF_I64};
    exec_begin(x, CLIF_CC_SYSTEM_V, p, PARAMS, &r, 1);
    probe_sig = clif_import_sig(&x->f, CLIF_CC_SYSTEM_V, p, 2, NULL, 0);
    for (unsigned k = 0; k < VARS; k++) {
        cb_declare_var(&x->b, CLIF_I64);
        define(x, k, k < PARAMS ? (ClifValue){k} : constant(x, 1000 + k));
    }
    generate(x, list, 0);
    ClifValue sum = use(x, 0);
    for (unsigned k = 1; k < VARS; k++) /* some variables are wanted to the end */
        if (pick(2)) sum = cb_binary(&x->b, CLIF_OP_IADD, sum, use(x, k));
    cb_return(&x->b, &sum, 1);
    cb_seal_all(&x->b);
    cb_label_params(&x->b, VARS);
}

static void values_are_where_they_are_said_to_be(void **state) {
    (void)state;
    static Exec x;
    exec_init(&x);
    probed = &x;
    for (unsigned n = 0; n < 1500; n++) {
        exec_settings(&x, x64_host_flags(), n % 4 == 3 ? n : 0, false);
        mach_ctx_set_regalloc(x.mc, n % 2 ? MACH_REGALLOC_SINGLE_PASS : MACH_REGALLOC_BACKTRACKING);
        seed = n;
        nnodes = 1;
        nevents = at_event = 0;
        uint32_t list = make_list(3, 12);
        int64_t arg[PARAMS], v[VARS];
        for (unsigned k = 0; k < PARAMS; k++) arg[k] = (int64_t)rnd(&seed);
        for (unsigned k = 0; k < VARS; k++) v[k] = k < PARAMS ? arg[k] : 1000 + (int64_t)k;
        simulate(list, v);
        build(&x, list);
        exec_compile(&x);
        EXEC_FN(&x, int64_t(*)(int64_t, int64_t, int64_t, int64_t))(arg[0], arg[1], arg[2], arg[3]);
        assert_int_equal(at_event, nevents);
    }
    exec_free(&x);
    printf("%llu of %llu values known\n", (unsigned long long)known, (unsigned long long)asked);
    assert_true(known > asked / 4 * 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(values_are_where_they_are_said_to_be)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

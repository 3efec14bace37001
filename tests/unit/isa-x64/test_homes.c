/* Where labelled variables are: random functions call a probe, which reads each variable where the compiler says that it is at the
 * call, and compares it with what the same function computed here. Integers, floats, vectors; probes that keep all registers and such
 * that do not; both allocators, random allocation. */
#include "exec.h"

/* Variables: integers, then floats, then vectors, which are two words each in what is computed here. */
enum { INTS = 9, FLOATS = 2, VECTORS = 3, VARS = INTS + FLOATS + VECTORS, WORDS = VARS + VECTORS };
enum { PARAMS = 4, NODES = 400, EVENTS = 4000 };
static uint64_t seed;
static uint32_t pick(uint32_t n) {
    return (uint32_t)(rnd(&seed) >> 33) % n;
}

/* ---- random functions: a tree of statements ---- */
typedef enum Kind { SET, SET_FLOAT, SET_VECTOR, IF, LOOP, PROBE } Kind;
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
        unsigned what = pick(13);
        node[i] = (Node){.kind = what < 5                  ? SET
                                 : what == 5               ? SET_FLOAT
                                 : what < 8                ? SET_VECTOR
                                 : what < 11 || depth == 0 ? PROBE
                                 : what == 11              ? IF
                                                           : LOOP,
                         .x = (uint8_t)pick(INTS),
                         .y = (uint8_t)pick(INTS),
                         .z = (uint8_t)pick(INTS),
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
    int64_t v[WORDS];
} Event;
static Event event[EVENTS];
static uint32_t nevents, at_event;

static unsigned float_of(unsigned n) { /* the variable */
    return INTS + n % FLOATS;
}
static unsigned vector_of(unsigned n) {
    return INTS + FLOATS + n % VECTORS;
}
static unsigned word_of(unsigned var) { /* its first one */
    return var < vector_of(0) ? var : 2 * var - vector_of(0);
}

static int64_t compute(const Node *n, const int64_t *v) {
    uint64_t y = (uint64_t)v[n->y], z = (uint64_t)v[n->z];
    if (n->op == 3 && n->k & 1) return v[word_of(vector_of(n->y)) + n->z % 2]; /* a lane */
    switch (n->op) {
    case 0: return (int64_t)(y + z);
    case 1: return (int64_t)(y - z);
    case 2: return (int64_t)(y ^ (uint64_t)n->k);
    case 3: return (int64_t)(y * (z | 1));
    case 4: return (int64_t)y; /* a copy */
    default: return n->k;
    }
}
static int64_t compute_float(const Node *n, const int64_t *v) {
    switch (n->op) {
    case 0:
    case 1: return v[n->y];
    case 2:
    case 3: return v[float_of(n->y)];
    case 4: return v[word_of(vector_of(n->y))];
    default: return n->k;
    }
}
static void compute_vector(const Node *n, const int64_t *v, int64_t to[2]) {
    const int64_t *y = &v[word_of(vector_of(n->y))], *z = &v[word_of(vector_of(n->z))];
    for (int i = 0; i < 2; i++) switch (n->op) {
        case 0: to[i] = v[n->y]; break;
        case 1: to[i] = v[float_of(n->y)]; break;
        case 2: to[i] = (int64_t)((uint64_t)y[i] + (uint64_t)z[i]); break;
        case 3: to[i] = y[i] ^ z[i]; break;
        case 4: to[i] = y[i]; break;
        default: to[i] = i ? n->y : n->k;
        }
}
static void simulate(uint32_t i, int64_t *v) {
    for (; i; i = node[i].next) {
        const Node *n = &node[i];
        if (n->kind == SET) v[n->x] = compute(n, v);
        if (n->kind == SET_FLOAT) v[float_of(n->x)] = compute_float(n, v);
        if (n->kind == SET_VECTOR) {
            int64_t to[2];
            compute_vector(n, v, to);
            memcpy(&v[word_of(vector_of(n->x))], to, sizeof to);
        }
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
void probe_entry(void), probe_all(void);
__asm__(".text\n"
        ".globl probe_entry\n"
        "probe_entry:\n"
        "    mov (%rsp), %rsi\n"
        "    push %r15\n    push %r14\n    push %r13\n    push %r12\n    push %rbx\n    push %rbp\n"
        "    mov %rsp, %rdx\n"
        "    xor %ecx, %ecx\n"
        "    sub $8, %rsp\n"
        "    call probe\n"
        "    add $8, %rsp\n"
        "    pop %rbp\n    pop %rbx\n    pop %r12\n    pop %r13\n    pop %r14\n    pop %r15\n"
        "    ret\n"
        ".globl probe_all\n" /* keeps all registers */
        "probe_all:\n"
        "    push %r11\n    push %r10\n    push %r9\n    push %r8\n    push %rdi\n    push %rsi\n"
        "    push %rdx\n    push %rcx\n    push %rax\n"
        "    push %r15\n    push %r14\n    push %r13\n    push %r12\n    push %rbx\n    push %rbp\n"
        "    mov 120(%rsp), %rsi\n"
        "    mov %rsp, %rdx\n"
        "    sub $256, %rsp\n"
        "    mov %rsp, %rcx\n"
        "    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n"
        "    movups %xmm\\n, 16*\\n(%rsp)\n"
        "    .endr\n"
        "    call probe\n"
        "    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n"
        "    movups 16*\\n(%rsp), %xmm\\n\n"
        "    .endr\n"
        "    add $256, %rsp\n"
        "    pop %rbp\n    pop %rbx\n    pop %r12\n    pop %r13\n    pop %r14\n    pop %r15\n"
        "    pop %rax\n    pop %rcx\n    pop %rdx\n"
        "    pop %rsi\n    pop %rdi\n    pop %r8\n    pop %r9\n    pop %r10\n    pop %r11\n"
        "    ret\n");
static Exec *probed;
static uint64_t known[3], asked, at_entry; /* known: integers, floats, vectors */

/* What the home has. vectors: NULL, if the call destroys what is not in `regs`. */
static void read_home(const MachHome *h, const uint64_t *regs, const uint64_t (*vectors)[2],
                      uint64_t to[2]) {
    static const int8_t saved[16] = {
        [RBP] = 1, [RBX] = 2,  [R12] = 3,  [R13] = 4, [R14] = 5, [R15] = 6,  [RAX] = 7, [RCX] = 8,
        [RDX] = 9, [RSI] = 10, [RDI] = 11, [R8] = 12, [R9] = 13, [R10] = 14, [R11] = 15};
    if (h->constant) {
        memcpy(to, h->bits, 16);
    } else if (h->place < 0) {
        memcpy(to, (const char *)(uintptr_t)(regs[0] + (uint64_t)(int64_t)h->place), 16);
    } else if (h->place < 16) {
        if (!saved[h->place] || (saved[h->place] > 6 && !vectors))
            fail_msg("variable %u in register %d, which the call destroys", h->label, h->place);
        to[0] = regs[saved[h->place] - 1];
    } else {
        if (!vectors) fail_msg("variable %u in a vector register", h->label);
        memcpy(to, vectors[h->place - X64_XMM], 16);
    }
}

/* Are the variables at this place of the code what they are in that event? */
static void check_at(uint32_t pc, const Event *e, const uint64_t *regs,
                     const uint64_t (*vectors)[2]) {
    for (uint32_t i = 0; i < probed->out.num_homes; i++) {
        const MachHome *h = &probed->out.homes[i];
        if (i && h[-1].label == h->label && h[-1].end > h->start) fail_msg("homes overlap");
        if (pc < h->start || pc >= h->end || h->label >= VARS) continue;
        uint32_t words = h->label < vector_of(0) ? 1 : 2, first = word_of(h->label);
        if (h->constant && h->constant != 8 * words) fail_msg("%u bytes", h->constant);
        uint64_t x[2];
        read_home(h, regs, vectors, x);
        for (uint32_t k = 0; k < words; k++)
            if (x[k] != (uint64_t)e->v[first + k])
                fail_msg("event %u: variable %u, word %u is 0x%llx in place %d, not 0x%llx",
                         at_event, h->label, k, (unsigned long long)x[k], h->place,
                         (unsigned long long)e->v[first + k]);
        known[h->label < INTS ? 0 : h->label < vector_of(0) ? 1 : 2]++;
    }
}

void probe(uint64_t id, uint64_t ret, const uint64_t *regs, const uint64_t (*vectors)[2]);
void probe(uint64_t id, uint64_t ret, const uint64_t *regs, const uint64_t (*vectors)[2]) {
    if (at_event >= EVENTS) return;
    if (at_event >= nevents || event[at_event].id != id) fail_msg("another event: a broken test");
    asked += VARS;
    check_at((uint32_t)(ret - 1 - (uint64_t)(uintptr_t)probed->code - probed->at), &event[at_event],
             regs, vectors);
    at_event++;
}

/* The function's end, in half of all cases: an out-of-line trap. */
static Event at_end;
static uint64_t traps, known_at_traps;
static void on_trap(int sig, siginfo_t *si, void *uc) {
    static const int order[15] = {REG_RBP, REG_RBX, REG_R12, REG_R13, REG_R14,
                                  REG_R15, REG_RAX, REG_RCX, REG_RDX, REG_RSI,
                                  REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11};
    const mcontext_t *m = &((ucontext_t *)uc)->uc_mcontext;
    uint64_t regs[15], vectors[16][2], was = known[0] + known[1] + known[2];
    (void)sig, (void)si;
    for (int k = 0; k < 15; k++) regs[k] = (uint64_t)m->gregs[order[k]];
    for (int k = 0; k < 16; k++) memcpy(vectors[k], &m->fpregs->_xmm[k], 16);
    check_at(
        (uint32_t)((uint64_t)m->gregs[REG_RIP] - (uint64_t)(uintptr_t)probed->code - probed->at),
        &at_end, regs, (const uint64_t(*)[2])vectors);
    traps++;
    known_at_traps += known[0] + known[1] + known[2] - was;
    asked += VARS;
    siglongjmp(exec_back, 1);
}

/* ---- the same function as code ---- */
static ClifSigRef probe_sig[2];
static ClifValue use(Exec *x, unsigned v) {
    return cb_use_var(&x->b, (ClifVar){v});
}
static void define(Exec *x, unsigned var, ClifValue v) {
    cb_def_var(&x->b, (ClifVar){var}, v);
    cb_label(&x->b, var, v);
}
static ClifValue cast(Exec *x, ClifType t, ClifValue v) {
    ClifMemFlags little = {
        .bits = CLIF_MEM_LITTLE, .trap = CLIF_TRAP_HEAP_OUT_OF_BOUNDS, .region = CLIF_NONE};
    ClifInstData d = {
        .op = CLIF_OP_BITCAST, .type = t, .aux = clif_intern_memflags(&x->f, little), .a = v.i};
    return cb_ins1(&x->b, d, t);
}
static ClifValue constant(Exec *x, int64_t k) {
    return cb_iconst(&x->b, CLIF_I64, k);
}
static ClifValue lane(Exec *x, ClifType t, unsigned var, unsigned k) {
    ClifInstData d = {.op = CLIF_OP_EXTRACTLANE, .type = t, .aux = (uint16_t)k, .a = use(x, var).i};
    if (t == CLIF_F64X2) d.a = cast(x, t, (ClifValue){d.a}).i;
    return cb_ins1(&x->b, d, clif_lane_type(t));
}
static ClifValue computed(Exec *x, const Node *n) {
    ClifBuilder *b = &x->b;
    if (n->op == 3 && n->k & 1) return lane(x, CLIF_I64X2, vector_of(n->y), n->z % 2);
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

static ClifValue computed_float(Exec *x, const Node *n) {
    switch (n->op) {
    case 0:
    case 1: return cast(x, CLIF_F64, use(x, n->y));
    case 2:
    case 3: return use(x, float_of(n->y));
    case 4: return lane(x, CLIF_F64X2, vector_of(n->y), 0);
    default: return cb_f64const(&x->b, (uint64_t)n->k);
    }
}
static ClifValue computed_vector(Exec *x, const Node *n) {
    ClifBuilder *b = &x->b;
    unsigned y = vector_of(n->y), z = vector_of(n->z);
    int64_t k[2] = {n->k, n->y};
    ClifInstData d = {.op = CLIF_OP_VCONST, .type = CLIF_I64X2};
    switch (n->op) {
    case 0: return cb_unary(b, CLIF_OP_SPLAT, CLIF_I64X2, use(x, n->y));
    case 1:
        return cast(x, CLIF_I64X2, cb_unary(b, CLIF_OP_SPLAT, CLIF_F64X2, use(x, float_of(n->y))));
    case 2: return cb_binary(b, CLIF_OP_IADD, use(x, y), use(x, z));
    case 3: return cb_binary(b, CLIF_OP_BXOR, use(x, y), use(x, z));
    case 4: return use(x, y);
    default: d.a = clif_intern_const(&x->f, k, 16).i; return cb_ins1(b, d, CLIF_I64X2);
    }
}

static void generate(Exec *x, uint32_t i, unsigned depth) {
    ClifBuilder *b = &x->b;
    for (; i; i = node[i].next) {
        const Node *n = &node[i];
        if (n->kind == SET) define(x, n->x, computed(x, n));
        if (n->kind == SET_FLOAT) define(x, float_of(n->x), computed_float(x, n));
        if (n->kind == SET_VECTOR) define(x, vector_of(n->x), computed_vector(x, n));
        if (n->kind == PROBE) {
            ClifValue arg[2] = {constant(x, i), use(x, n->x)}; /* which may be its last use */
            void (*to)(void) = n->op < 3 ? probe_entry : probe_all;
            cb_call_indirect(b, probe_sig[n->op >= 3], constant(x, (int64_t)(intptr_t)to), arg, 2);
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

static void build(Exec *x, uint32_t list, bool trap) {
    ClifAbiParam p[PARAMS], r = {.type = CLIF_I64};
    for (unsigned k = 0; k < PARAMS; k++) p[k] = (ClifAbiParam){.type = CLIF_I64};
    exec_begin(x, CLIF_CC_SYSTEM_V, p, PARAMS, &r, 1);
    probe_sig[0] = clif_import_sig(&x->f, CLIF_CC_SYSTEM_V, p, 2, NULL, 0);
    probe_sig[1] = clif_import_sig(&x->f, CLIF_CC_PRESERVE_ALL, p, 2, NULL, 0);
    for (unsigned k = 0; k < VARS; k++)
        cb_declare_var(&x->b, k < INTS ? CLIF_I64 : k < vector_of(0) ? CLIF_F64 : CLIF_I64X2);
    for (unsigned k = 0; k < INTS; k++)
        define(x, k, k < PARAMS ? (ClifValue){k} : constant(x, 1000 + k));
    for (unsigned k = 0; k < FLOATS; k++) define(x, float_of(k), cast(x, CLIF_F64, use(x, k)));
    for (unsigned k = 0; k < VECTORS; k++)
        define(x, vector_of(k), cb_unary(&x->b, CLIF_OP_SPLAT, CLIF_I64X2, use(x, k)));
    generate(x, list, 0);
    if (trap) { /* what comes behind it, and never runs, still needs variables */
        ClifValue one = cb_binary(&x->b, CLIF_OP_BOR, use(x, pick(INTS)), constant(x, 1));
        cb_trapnz(&x->b, one, 1);
    }
    ClifValue sum = use(x, 0);
    for (unsigned k = 1; k < VARS; k++) /* some variables are wanted to the end */
        if (pick(2))
            sum = cb_binary(&x->b, CLIF_OP_IADD, sum,
                            k < INTS           ? use(x, k)
                            : k < vector_of(0) ? cast(x, CLIF_I64, use(x, k))
                                               : lane(x, CLIF_I64X2, k, 1));
    cb_return(&x->b, &sum, 1);
    cb_seal_all(&x->b);
    cb_label_params(&x->b, VARS);
}

/* At the first byte, parameters are where the convention has them. */
static void check_entry(const MachCompiled *out) {
    static const int32_t reg[PARAMS] = {RDI, RSI, RDX, RCX};
    for (uint32_t i = 0; i < out->num_homes; i++) {
        const MachHome *h = &out->homes[i];
        if (h->start) continue;
        if (h->label >= PARAMS || h->constant || h->place != reg[h->label])
            fail_msg("variable %u is in place %d at the start", h->label, h->place);
        at_entry++;
    }
}

static void values_are_where_they_are_said_to_be(void **state) {
    (void)state;
    static Exec x;
    exec_init(&x);
    probed = &x;
    struct sigaction sa = {.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
    sa.sa_sigaction = on_trap;
    sigaction(SIGILL, &sa, NULL);
    for (unsigned n = 0; n < 1500; n++) {
        exec_settings(&x, x64_host_flags(), n % 4 == 3 ? n : 0, false);
        mach_ctx_set_regalloc(x.mc, n % 2 ? MACH_REGALLOC_SINGLE_PASS : MACH_REGALLOC_BACKTRACKING);
        seed = n;
        nnodes = 1;
        nevents = at_event = 0;
        uint32_t list = make_list(3, 12);
        int64_t arg[PARAMS], v[WORDS];
        for (unsigned k = 0; k < PARAMS; k++) arg[k] = (int64_t)rnd(&seed);
        for (unsigned k = 0; k < INTS; k++) v[k] = k < PARAMS ? arg[k] : 1000 + (int64_t)k;
        for (unsigned k = 0; k < FLOATS; k++) v[float_of(k)] = v[k];
        for (unsigned k = 0; k < 2 * VECTORS; k++) v[word_of(vector_of(0)) + k] = v[k / 2];
        simulate(list, v);
        memcpy(at_end.v, v, sizeof v);
        build(&x, list, n / 2 % 2);
        exec_compile(&x);
        check_entry(&x.out);
        EXEC(EXEC_FN(&x, int64_t(*)(int64_t, int64_t, int64_t, int64_t))(arg[0], arg[1], arg[2],
                                                                         arg[3]));
        assert_int_equal(at_event, nevents);
    }
    exec_free(&x);
    assert_true(at_entry > 1000);
    assert_true(traps > 500 && known_at_traps > traps * VARS / 2);
    static const unsigned of[3] = {INTS, FLOATS, VECTORS};
    for (int k = 0; k < 3; k++) {
        uint64_t all = asked / VARS * of[k];
        printf("%llu of %llu values known\n", (unsigned long long)known[k],
               (unsigned long long)all);
        assert_true(known[k] > (k ? all / 2 : all / 4 * 3)); /* more is not wanted any more */
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(values_are_where_they_are_said_to_be)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

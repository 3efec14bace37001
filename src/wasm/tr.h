/* wasm/tr.h — the translator's state and its operand stack; inside src/wasm only.
 *
 * One pass decodes, validates and emits. The operand stack is two flat arrays: types (validation) and values
 * (emission). `live` says whether code is emitted: false in a validate-only run, after a branch that never falls
 * through, and in blocks that nothing reaches; then values are not looked at. A comparison stays an i8 on the
 * stack (TR_BOOL set in its value) until someone needs an i32, so that branches and selects use it directly.
 * The tagged value has that one user, which is why i32.eqz may invert the comparison in place. */
#ifndef COT_WASM_TR_H
#define COT_WASM_TR_H
#include "wasm/wasm_int.h"

#define TR_BOOL 0x80000000u
#define TR_UNLIKELY(x) __builtin_expect(!!(x), 0)

typedef struct TrTypes {
    const WasmType *params, *results;
    uint32_t nparams, nresults;
} TrTypes;
typedef enum TrKind { TR_FUNC, TR_BLOCK, TR_LOOP, TR_IF, TR_ELSE } TrKind;
typedef struct TrFrame {
    TrTypes t;
    uint32_t height;     /* of the operand stack below the block's parameters */
    uint32_t saved;      /* TR_IF: the parameters' values, from here in Tr.saved */
    ClifBlock dest;      /* where a branch goes: loop header, or the join, made when first needed */
    ClifBlock otherwise; /* TR_IF: start of the else part */
    uint8_t kind;
    bool unreachable; /* the stack is polymorphic */
    bool live_in;     /* code was emitted where the block starts */
} TrFrame;

/* The last value seen of a local. It holds while control only falls into blocks with one predecessor (`region`):
 * such reads need no search in the builder. */
typedef struct TrLocal {
    uint32_t region, value;
} TrLocal;

struct WasmTranslator {
    Mem *mem;
    WasmReader r;
    const uint8_t *op; /* start of the current operator */
    const WasmModule *m;
    const WasmTunables *tn;
    const VmLayout *lay;
    ClifFunc *f;
    ClifBuilder b;
    bool live, emit;
    uint32_t features, func, nops;
    uint32_t sp, cap, base; /* base: height of the innermost frame */
    WasmType *ty;
    uint32_t *val;
    VEC(TrFrame) frames;
    VEC(WasmType) locals;
    VEC(TrLocal) cache; /* by local */
    uint32_t region;    /* number of the current one, never 0 */
    VecU8 assigned;     /* by local: a local.set or tee of it was emitted */
    uint32_t loops;     /* open loops whose code is emitted */
    uint32_t zero[16];  /* value + 1 by scalar CLIF type: zero, in the entry block */
    uint32_t zero_vector;
    VecU32 saved, args;
    VecU32 func_refs, sig_refs, touched_funcs,
        touched_sigs; /* per index: handle + 1, 0 = not yet */
    VecU32 mark, mark_block, targets,
        calls; /* br_table: per depth; mark = nops of the last table that used it */
    VEC(ClifAbiParam) abi;
    uint32_t builtin_sig[VM_BUILTIN_COUNT]; /* handle + 1 */
    uint32_t mem_base
        [WASM_MAX_MEMORIES]; /* value + 1: base (static style) or VmMemory * (checked style) */
    uint16_t mf_heap, mf_vm, mf_const, mf_null, mf_default; /* memory flags */
    ClifValue vmctx;
    /* Addresses already computed in this block: index value -> base + index. Checked style: since the last call, with
     * index + checked known to be within bounds. */
    struct {
        uint32_t index, memory, block, addr, calls;
        uint64_t checked;
    } addr_cache[16];
    /* Checked style: base and length of a memory as loaded in this block since the last call, which might grow it. */
    struct {
        uint32_t memory, block, calls, base, length;
    } loaded;
    uint32_t calls_made; /* calls emitted so far */
};
typedef struct WasmTranslator Tr;

static inline uint64_t tr_off(const Tr *t) {
    return (uint64_t)(t->op - t->r.base);
}
#define TR_FAIL(t, kind, ...) diag_at((t)->r.d, DIAG_##kind, tr_off(t), __VA_ARGS__)
static inline TrFrame *tr_top(Tr *t) {
    return &vec_last(&t->frames);
}
void tr_grow(Tr *t, uint32_t more);
bool tr_pop_slow(Tr *t, WasmType want, uint32_t *v);
bool tr_pop_any(Tr *t, WasmType *ty, uint32_t *v);

static inline void tr_push(Tr *t, WasmType ty, uint32_t v) {
    if (TR_UNLIKELY(t->sp == t->cap)) tr_grow(t, 1);
    t->ty[t->sp] = ty;
    t->val[t->sp++] = v;
}
static inline bool tr_pop(Tr *t, WasmType want, uint32_t *v) { /* the value may be a TR_BOOL */
    uint32_t sp = t->sp;
    if (TR_UNLIKELY(sp == t->base || t->ty[sp - 1] != want)) return tr_pop_slow(t, want, v);
    *v = t->val[sp - 1];
    t->sp = sp - 1;
    return true;
}
/* The value as its Wasm type. */
static inline ClifValue tr_val(Tr *t, uint32_t v) {
    if (TR_UNLIKELY(v & TR_BOOL))
        return cb_ins1(&t->b,
                       (ClifInstData){.op = CLIF_OP_UEXTEND, .type = CLIF_I32, .a = v & ~TR_BOOL},
                       CLIF_I32);
    return (ClifValue){v};
}
static inline ClifValue tr_cond(uint32_t v) {
    return (ClifValue){v & ~TR_BOOL};
}
static inline ClifType tr_clif(WasmType ty) {
    return wasm_clif_type[ty & 127];
}
static inline ClifValue tr_un(Tr *t, ClifOp op, ClifType ty, ClifValue x) {
    return cb_ins1(&t->b, (ClifInstData){.op = (uint8_t)op, .type = ty, .a = x.i}, ty);
}
static inline ClifValue tr_bin(Tr *t, ClifOp op, ClifType ty, ClifValue x, ClifValue y) {
    return cb_ins1(&t->b, (ClifInstData){.op = (uint8_t)op, .type = ty, .a = x.i, .b = y.i}, ty);
}
static inline ClifValue tr_i64(Tr *t, int64_t x) {
    return cb_iconst(&t->b, CLIF_I64, x);
}
ClifValue tr_icmp_imm(Tr *t, ClifIntCC cc, ClifValue x, int64_t imm);
static inline ClifValue tr_vm_load(Tr *t, ClifType ty, uint16_t mf, ClifValue p, uint32_t off) {
    return cb_load(&t->b, CLIF_OP_LOAD, ty, mf, p, (int32_t)off);
}
static inline void tr_new_region(Tr *t) {
    if (++t->region == 0) { /* wrapped: forget what looks current */
        memset(t->cache.p, 0, t->cache.n * sizeof *t->cache.p);
        t->region = 1;
    }
}
/* Pops n values of the given types into t->args at `at` (extended; only when live). */
bool tr_pop_list(Tr *t, const WasmType *types, uint32_t n, uint32_t *args);
bool tr_check_list(Tr *t, const WasmType *types,
                   uint32_t n); /* types of the topmost values, which stay */
void tr_push_list(Tr *t, const WasmType *types, uint32_t n, const uint32_t *vals);
void tr_dead(Tr *t); /* the rest of the block is unreachable */

/* control.c */
bool tr_block(Tr *t, TrKind kind);
bool tr_else(Tr *t);
bool tr_end(Tr *t);
bool tr_br(Tr *t);
bool tr_br_if(Tr *t);
bool tr_br_table(Tr *t);
bool tr_return(Tr *t);
void tr_push_frame(Tr *t, TrKind kind, TrTypes types);
/* environ.c */
void tr_env_begin(Tr *t);
/* An access whose instruction is the caller's: read the immediate, pop what lies above the index, then the index. */
typedef struct TrAccess {
    uint32_t size, mem, offset;
    ClifValue addr; /* these two set by tr_access_addr, when live */
    int32_t disp;
} TrAccess;
bool tr_access(Tr *t, uint32_t size, TrAccess *a);
bool tr_access_addr(Tr *t, TrAccess *a);
bool tr_load(Tr *t, const WasmOpInfo *o);
bool tr_store(Tr *t, const WasmOpInfo *o);
bool tr_global(Tr *t, bool set);
bool tr_memory_op(Tr *t, WasmForm form);
void tr_interrupt_check(Tr *t);
ClifInst tr_builtin(Tr *t, VmBuiltin which, const ClifValue *args, uint32_t n);
/* table.c */
bool tr_table_op(Tr *t, WasmForm form);
bool tr_call(Tr *t);
bool tr_call_indirect(Tr *t);
bool tr_ref(Tr *t, WasmForm form);
ClifValue tr_vm_addr(Tr *t, uint32_t off);
void tr_sig_params(Tr *t, uint32_t type, bool vmctx, uint32_t *np, uint32_t *nr);
/* simd.c */
bool tr_vector(Tr *t, const WasmOpInfo *o);
ClifValue tr_vconst(Tr *t, ClifType ty, const uint8_t bytes[16]);
/* numeric.c */
bool tr_divide(Tr *t, const WasmOpInfo *o);
bool tr_trunc(Tr *t, const WasmOpInfo *o);
bool tr_eqz(Tr *t, const WasmOpInfo *o);
#endif

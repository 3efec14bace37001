/* interp/interp.c — frames, control flow, calls; what is neither goes to sem/ or memory.c.
 *
 * Idea  The frames of the interpreted functions are elements of a vector, so the host's stack does not grow with theirs.
 *       A frame's values lie in one vector at the number of the value. Arguments of jumps are collected first and then
 *       written, since a block may pass its parameters to itself in another order.
 * Cost  a step is O(operands). No allocation once the vectors are large enough. */
#include "interp/interp_int.h"

void interp_init(Interp *it, Mem *m) {
    memset(it, 0, sizeof *it);
    it->mem = m;
}

void interp_free(Interp *it) {
    vec_free(it->mem, &it->funcs);
    vec_free(it->mem, &it->slot_offsets);
    hashmap_free(it->mem, &it->by_name);
    vec_free(it->mem, &it->data);
    vec_free(it->mem, &it->frames);
    vec_free(it->mem, &it->values);
    vec_free(it->mem, &it->args);
    vec_free(it->mem, &it->moves);
    vec_free(it->mem, &it->way);
    vec_free(it->mem, &it->stack);
}

/* ---- the set of functions ---- */
static uint64_t name_hash(const ClifFunc *f, ClifName n) {
    if (n.kind == CLIF_NAME_TESTCASE) return hash_bytes(n.b ? f->bytes.p + n.a : NULL, n.b, 1);
    return hash_u64((uint64_t)n.a << 32 | n.b) ^ n.kind;
}
static bool same_name(const ClifFunc *f, ClifName a, const ClifFunc *g, ClifName b) {
    if (a.kind != b.kind) return false;
    if (a.kind != CLIF_NAME_TESTCASE) return a.a == b.a && a.b == b.b;
    return a.b == b.b && (!a.b || !memcmp(f->bytes.p + a.a, g->bytes.p + b.a, a.b));
}

uint32_t interp_find(const Interp *it, const ClifFunc *f, ClifName name) {
    name = clif_resolve_name(f, name);
    for (uint64_t key = name_hash(f, name);; key++) {
        const uint32_t *k = hashmap_find(&it->by_name, key);
        if (!k) return CLIF_NONE;
        const ClifFunc *g = it->funcs.p[*k].f;
        if (same_name(f, name, g, g->name)) return *k;
    }
}

uint32_t interp_add(Interp *it, const ClifFunc *f) {
    InterpFunc fn = {.f = f, .slots = it->slot_offsets.n, .align = 64};
    uint32_t number = it->funcs.n, at = 0;
    for (uint32_t k = 0; k < f->slots.n; k++) {
        uint32_t align = 1u << f->slots.p[k].align_log2;
        if (align < 16) align = 16;
        if (align > INTERP_STACK_SIZE) align = INTERP_STACK_SIZE;
        if (align > fn.align) fn.align = align;
        at = (at + align - 1) & ~(align - 1);
        vec_push(it->mem, &it->slot_offsets, at);
        uint32_t size = f->slots.p[k].size;
        at = size > INTERP_STACK_SIZE || at > INTERP_STACK_SIZE ? INTERP_STACK_SIZE + 1 : at + size;
    }
    fn.frame_size = at;
    vec_push(it->mem, &it->funcs, fn);
    if (interp_find(it, f, f->name) == CLIF_NONE) {
        uint64_t key = name_hash(f, f->name);
        while (hashmap_find(&it->by_name, key)) key++;
        hashmap_set(it->mem, &it->by_name, key, number);
    }
    return number;
}

void interp_place(Interp *it, ClifName name, uint32_t address) {
    vec_push(it->mem, &it->data, (InterpData){name, address});
}

/* ---- frames ---- */
InterpStatus interp_trap(Interp *it, ClifTrap t) {
    InterpFrame *fr = &vec_last(&it->frames);
    it->trap = t;
    it->trap_func = fr->func;
    it->trap_inst = fr->inst;
    return INTERP_TRAP;
}

InterpStatus interp_fault(Interp *it, const char *what) {
    const InterpFrame *fr = &vec_last(&it->frames);
    it->trap_func = fr->func;
    it->trap_inst = fr->inst;
    diag_msg(it->d, DIAG_INVALID, "%s at inst%u of function %u", what, fr->inst, fr->func);
    return INTERP_FAULT;
}

InterpStatus interp_unsupported(Interp *it, const char *what) {
    const InterpFrame *fr = &vec_last(&it->frames);
    diag_msg(it->d, DIAG_UNSUPPORTED, "the interpreter has no %s: %s", what,
             clif_op_info[fr->f->insts.p[fr->inst].op].name);
    return INTERP_UNSUPPORTED;
}

static SemValue *slot_of(Interp *it, const InterpFrame *fr, uint32_t v) {
    return &it->values.p[fr->values + clif_resolve(fr->f, (ClifValue){v}).i];
}
SemValue interp_value(Interp *it, uint32_t v) {
    return *slot_of(it, &vec_last(&it->frames), v);
}

/* A new frame whose parameters are it->args. */
static InterpStatus enter(Interp *it, uint32_t func) {
    InterpFunc fn = it->funcs.p[func];
    const ClifFunc *f = fn.f;
    uint32_t sp = (it->sp + fn.align - 1) & ~(fn.align - 1);
    if (f->first_block == CLIF_NONE || (uint64_t)sp + fn.frame_size > INTERP_STACK_SIZE ||
        it->frames.n >= INTERP_MAX_FRAMES ||
        (uint64_t)it->values.n + f->values.n > INTERP_MAX_VALUES) {
        diag_msg(it->d, DIAG_LIMIT,
                 f->first_block == CLIF_NONE ? "a function without blocks" : "out of stack");
        return INTERP_LIMIT;
    }
    InterpFrame fr = {f, func, it->values.n, sp, f->blocks.p[f->first_block].first};
    vec_resize0(it->mem, &it->values, it->values.n + f->values.n);
    if (it->stack.n < sp + fn.frame_size) vec_resize0(it->mem, &it->stack, sp + fn.frame_size);
    if (fn.frame_size) memset(it->stack.p + sp, 0, fn.frame_size);
    it->sp = sp + fn.frame_size;
    uint32_t n, *p = clif_block_params(f, (ClifBlock){f->first_block}, &n);
    for (uint32_t k = 0; k < n; k++) it->values.p[fr.values + p[k]] = it->args.p[k];
    vec_push(it->mem, &it->frames, fr);
    return INTERP_OK;
}

static void leave(Interp *it) {
    InterpFrame fr = vec_pop(&it->frames);
    it->values.n = fr.values;
    it->sp = it->frames.n
                 ? vec_last(&it->frames).stack + it->funcs.p[vec_last(&it->frames).func].frame_size
                 : 0;
}

static void collect(Interp *it, const uint32_t *v, uint32_t n) {
    InterpFrame *fr = &vec_last(&it->frames);
    vec_clear(&it->args);
    for (uint32_t k = 0; k < n; k++) vec_push(it->mem, &it->args, *slot_of(it, fr, v[k]));
}

/* ---- jumps ---- */
/* Goes to the target; `rets` are what retN means at a try_call. */
static InterpStatus jump(Interp *it, ListRef call, const SemValue *rets) {
    InterpFrame *fr = &vec_last(&it->frames);
    const ClifFunc *f = fr->f;
    ClifBlock to = clif_call_block(f, call);
    uint32_t n, *a = clif_call_args(f, call, &n), np, *p = clif_block_params(f, to, &np);
    vec_clear(&it->moves);
    for (uint32_t k = 0; k < n; k++) {
        SemValue v = a[k] & CLIF_BLOCKARG_TRY_RET ? rets[a[k] & ~CLIF_BLOCKARG_MASK]
                                                  : *slot_of(it, fr, a[k]);
        vec_push(it->mem, &it->moves, v);
    }
    for (uint32_t k = 0; k < n; k++) it->values.p[fr->values + p[k]] = it->moves.p[k];
    fr->inst = f->blocks.p[to.i].first;
    return INTERP_OK;
}

static InterpStatus branch(Interp *it, const ClifInstData *d) {
    const ClifFunc *f = vec_last(&it->frames).f;
    if (d->op == CLIF_OP_JUMP) return jump(it, d->a, NULL);
    if (d->op == CLIF_OP_BRIF)
        return jump(it, sem_is_true(interp_value(it, d->a)) ? d->b : d->c, NULL);
    ClifJumpTableData t = f->jts.p[d->b];
    uint64_t x = interp_value(it, d->a).w[0];
    return jump(it, f->jt_calls.p[t.first + (x < t.n - 1 ? (uint32_t)x + 1 : 0)], NULL);
}

/* ---- calls and returns ---- */
/* The results in it->args go to the call that the top frame waits at. */
static InterpStatus resume(Interp *it) {
    InterpFrame *fr = &vec_last(&it->frames);
    const ClifFunc *f = fr->f;
    const ClifInstData *d = &f->insts.p[fr->inst];
    ClifFormat fmt = (ClifFormat)clif_op_info[d->op].format;
    if (fmt == CLIF_FMT_TryCall || fmt == CLIF_FMT_TryCallIndirect) {
        SemValues rets = it->args; /* the jump collects in its own place */
        return jump(it, f->jt_calls.p[f->eh_tables.p[d->c].calls], rets.p);
    }
    uint32_t n, *r = clif_results(f, (ClifInst){fr->inst}, &n);
    if (n > it->args.n) return interp_fault(it, "callee with fewer results");
    for (uint32_t k = 0; k < n; k++) it->values.p[fr->values + r[k]] = it->args.p[k];
    fr->inst = f->links.p[fr->inst].next;
    return INTERP_OK;
}

/* Library calls that are operators. */
static bool libcall(Interp *it, ClifLibCall lc) {
    static const uint8_t op[CLIF_LIBCALL_COUNT] = {
        [CLIF_LIBCALL_CEIL_F32] = CLIF_OP_CEIL,       [CLIF_LIBCALL_CEIL_F64] = CLIF_OP_CEIL,
        [CLIF_LIBCALL_FLOOR_F32] = CLIF_OP_FLOOR,     [CLIF_LIBCALL_FLOOR_F64] = CLIF_OP_FLOOR,
        [CLIF_LIBCALL_TRUNC_F32] = CLIF_OP_TRUNC,     [CLIF_LIBCALL_TRUNC_F64] = CLIF_OP_TRUNC,
        [CLIF_LIBCALL_NEAREST_F32] = CLIF_OP_NEAREST, [CLIF_LIBCALL_NEAREST_F64] = CLIF_OP_NEAREST,
        [CLIF_LIBCALL_FMA_F32] = CLIF_OP_FMA,         [CLIF_LIBCALL_FMA_F64] = CLIF_OP_FMA,
    };
    if (!op[lc] || !it->args.n) return false;
    SemArgs a = {
        .op = (ClifOp)op[lc], .ctrl = it->args.p[0].type, .in = it->args.p, .n = it->args.n};
    SemValue out[2];
    if (a.n != (op[lc] == CLIF_OP_FMA ? 3u : 1u) || sem_eval(&a, out) != SEM_OK) return false;
    it->args.p[0] = out[0];
    it->args.n = 1;
    return true;
}

static InterpStatus call_library(Interp *it, const ClifInstData *d, ClifLibCall lc) {
    if (!libcall(it, lc)) return interp_unsupported(it, "such library routine");
    if (!clif_op_is((ClifOp)d->op, CLIF_OPF_RETURN)) return resume(it);
    leave(it);
    return it->frames.n ? resume(it) : INTERP_OK;
}

static bool args_fit(const Interp *it, const ClifFunc *f) {
    if (it->args.n != f->sig.nparams) return false;
    for (uint32_t k = 0; k < it->args.n; k++)
        if (it->args.p[k].type != f->abi_params.p[f->sig.params + k].type) return false;
    return true;
}

static InterpStatus call(Interp *it, const ClifInstData *d) {
    const ClifFunc *f = vec_last(&it->frames).f;
    ClifFormat fmt = (ClifFormat)clif_op_info[d->op].format;
    uint32_t n, *a = clif_args(f, (ClifInst){vec_last(&it->frames).inst}, &n), callee;
    if (fmt == CLIF_FMT_Call || fmt == CLIF_FMT_TryCall) {
        ClifName name = f->funcs.p[d->b].name;
        collect(it, a, n);
        if (name.kind == CLIF_NAME_LIBCALL) return call_library(it, d, (ClifLibCall)name.a);
        callee = interp_find(it, f, name);
    } else {
        uint64_t address = interp_value(it, a[0]).w[0];
        collect(it, a + 1, n - 1);
        ClifLibCall lc = interp_libcall_at(address);
        if (lc != CLIF_LIBCALL_COUNT) return call_library(it, d, lc);
        callee = interp_function_at(it, address);
        if (callee == CLIF_NONE) return interp_trap(it, CLIF_TRAP_HEAP_OUT_OF_BOUNDS);
    }
    if (callee == CLIF_NONE) return interp_unsupported(it, "such function");
    if (!args_fit(it, it->funcs.p[callee].f))
        return interp_fault(it, "call with another signature than the callee's");
    if (clif_op_is((ClifOp)d->op, CLIF_OPF_RETURN))
        leave(it); /* its caller waits for the callee now */
    return enter(it, callee);
}

/* ---- one instruction ---- */
static InterpStatus step(Interp *it) {
    InterpFrame *fr = &vec_last(&it->frames);
    const ClifFunc *f = fr->f;
    const ClifInstData *d = &f->insts.p[fr->inst];
    const ClifOpInfo *info = &clif_op_info[d->op];
    uint32_t n, *v = clif_args(f, (ClifInst){fr->inst}, &n);
    if (d->op == CLIF_OP_STACK_SWITCH) return interp_unsupported(it, "opcode");
    if (info->flags & CLIF_OPF_CALL) return call(it, d);
    if (info->flags & CLIF_OPF_BRANCH) return branch(it, d);
    switch (d->op) {
    case CLIF_OP_RETURN:
        collect(it, v, n);
        leave(it);
        return it->frames.n ? resume(it) : INTERP_OK;
    case CLIF_OP_TRAP: return interp_trap(it, (ClifTrap)d->aux);
    case CLIF_OP_TRAPZ:
    case CLIF_OP_TRAPNZ:
        if (sem_is_true(interp_value(it, d->a)) == (d->op == CLIF_OP_TRAPNZ))
            return interp_trap(it, (ClifTrap)d->aux);
        fr->inst = f->links.p[fr->inst].next;
        return INTERP_OK;
    case CLIF_OP_DEBUGTRAP: return interp_fault(it, "debugtrap");
    case CLIF_OP_NOP:
    case CLIF_OP_FENCE:
    case CLIF_OP_SEQUENCE_POINT: fr->inst = f->links.p[fr->inst].next; return INTERP_OK;
    default: break;
    }
    SemValue in[3], out[2];
    for (uint32_t k = 0; k < n && k < 3; k++) in[k] = interp_value(it, v[k]);
    bool is_memory;
    InterpStatus st = interp_memory(it, d, in, out, &is_memory);
    if (st != INTERP_OK) return st;
    if (!is_memory) {
        SemArgs a = {.op = (ClifOp)d->op, .ctrl = (ClifType)d->type, .in = in, .n = n};
        sem_immediates(f, (ClifInst){fr->inst}, &a);
        switch (sem_eval(&a, out)) {
        case SEM_OK: break;
        case SEM_TRAP: return interp_trap(it, a.trap);
        case SEM_NONE: return interp_unsupported(it, "meaning for this type of");
        }
    }
    uint32_t nr, *r = clif_results(f, (ClifInst){fr->inst}, &nr);
    for (uint32_t k = 0; k < nr; k++) it->values.p[fr->values + r[k]] = out[k];
    fr->inst = f->links.p[fr->inst].next;
    return INTERP_OK;
}

InterpStatus interp_call(Interp *it, uint32_t func, const SemValue *args, uint32_t n,
                         SemValues *results, Diag *d) {
    it->d = d;
    it->frames.n = it->values.n = 0;
    it->sp = INTERP_STACK_BASE;
    it->steps = 0;
    it->trap = CLIF_TRAP_NONE;
    it->pinned = (SemValue){.type = CLIF_I64};
    vec_clear(&it->args);
    for (uint32_t k = 0; k < n; k++) vec_push(it->mem, &it->args, args[k]);
    if (!args_fit(it, it->funcs.p[func].f)) {
        diag_msg(d, DIAG_INVALID, "the arguments are not those of the signature");
        return INTERP_UNSUPPORTED;
    }
    InterpStatus st = enter(it, func);
    while (st == INTERP_OK && it->frames.n) {
        if (it->max_steps && ++it->steps > it->max_steps) {
            diag_msg(d, DIAG_LIMIT, "out of steps");
            return INTERP_LIMIT;
        }
        st = step(it);
    }
    if (st == INTERP_OK)
        for (uint32_t k = 0; k < it->args.n; k++) vec_push(it->mem, results, it->args.p[k]);
    return st;
}

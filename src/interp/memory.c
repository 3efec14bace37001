/* interp/memory.c — loads, stores, atomics; addresses of slots, functions, data and global values; the pinned register; the frame's addresses.
 *
 * The only memory of a program is its stack. An access of n bytes at a is inside if a .. a + n lies in the part in use. */
#include "interp/interp_int.h"

uint32_t interp_function_at(const Interp *it, uint64_t address) {
    if (address < INTERP_CODE_BASE || address % 16) return CLIF_NONE;
    uint64_t k = (address - INTERP_CODE_BASE) / 16;
    return k < it->funcs.n ? (uint32_t)k : CLIF_NONE;
}

ClifLibCall interp_libcall_at(uint64_t address) {
    uint64_t k = address - INTERP_LIBCALL_BASE;
    return k % 16 == 0 && k / 16 < CLIF_LIBCALL_COUNT ? (ClifLibCall)(k / 16) : CLIF_LIBCALL_COUNT;
}

/* ---- bytes ---- */
static uint8_t *inside(Interp *it, uint64_t address, uint32_t n) {
    if (address < INTERP_STACK_BASE || address > it->sp || it->sp - address < n) return NULL;
    return it->stack.p + address;
}

/* Lanes are turned round one by one if memory is big-endian. */
static SemValue read_value(const uint8_t *p, ClifType t, bool big) {
    SemValue v = {.type = t};
    unsigned n = clif_type_bytes(t), lane = clif_lane_bits(t) / 8;
    for (unsigned k = 0; k < n; k++) {
        unsigned from = big ? k / lane * lane + lane - 1 - k % lane : k;
        v.w[k / 8] |= (uint64_t)p[from] << (8 * (k % 8));
    }
    return v;
}
static void write_value(uint8_t *p, SemValue v, unsigned n, bool big) {
    unsigned lane = clif_lane_bits(v.type) / 8;
    if (lane > n) lane = n;
    for (unsigned k = 0; k < n; k++) {
        unsigned to = big ? k / lane * lane + lane - 1 - k % lane : k;
        p[to] = (uint8_t)(v.w[k / 8] >> (8 * (k % 8)));
    }
}

static uint64_t address(SemValue base, int64_t offset) {
    uint64_t a = base.w[0] + (uint64_t)offset;
    return base.type == CLIF_I32 ? (uint32_t)a : a;
}

/* The n bytes of an access at `a`: *p, or how it ends. */
static InterpStatus reach(Interp *it, uint64_t a, uint32_t n, ClifMemFlags m, uint8_t **p) {
    *p = inside(it, a, n);
    if (!*p)
        return interp_trap(it, m.trap == CLIF_TRAP_NONE ? CLIF_TRAP_HEAP_OUT_OF_BOUNDS : m.trap);
    if (m.bits & CLIF_MEM_ALIGNED && a % n)
        return interp_fault(it, "misaligned access that is marked aligned");
    return INTERP_OK;
}

/* ---- loads and stores ---- */
typedef struct Narrow {
    ClifType mem; /* type in memory, INVALID: the value's own */
    bool is_signed;
} Narrow;
static Narrow narrow(ClifOp op) {
    switch (op) {
    case CLIF_OP_ULOAD8:
    case CLIF_OP_ISTORE8: return (Narrow){CLIF_I8, false};
    case CLIF_OP_SLOAD8: return (Narrow){CLIF_I8, true};
    case CLIF_OP_ULOAD16:
    case CLIF_OP_ISTORE16: return (Narrow){CLIF_I16, false};
    case CLIF_OP_SLOAD16: return (Narrow){CLIF_I16, true};
    case CLIF_OP_ULOAD32:
    case CLIF_OP_ISTORE32: return (Narrow){CLIF_I32, false};
    case CLIF_OP_SLOAD32: return (Narrow){CLIF_I32, true};
    case CLIF_OP_ULOAD8X8: return (Narrow){CLIF_I8X8, false};
    case CLIF_OP_SLOAD8X8: return (Narrow){CLIF_I8X8, true};
    case CLIF_OP_ULOAD16X4: return (Narrow){CLIF_I16X4, false};
    case CLIF_OP_SLOAD16X4: return (Narrow){CLIF_I16X4, true};
    case CLIF_OP_ULOAD32X2: return (Narrow){CLIF_I32X2, false};
    case CLIF_OP_SLOAD32X2: return (Narrow){CLIF_I32X2, true};
    default: return (Narrow){CLIF_INVALID, false};
    }
}

static ClifType result_type(const Interp *it) {
    const InterpFrame *fr = &vec_last(&it->frames);
    return clif_value_type(fr->f, clif_result(fr->f, (ClifInst){fr->inst}, 0));
}

static SemValue extended(SemValue v, ClifType to, bool is_signed) {
    unsigned from = clif_lane_bits(v.type), bits = clif_lane_bits(to);
    SemU128 r = 0;
    for (unsigned k = 0; k < clif_type_lanes(to); k++) {
        SemU128 x = sem_lane(v, k);
        if (is_signed && x >> (from - 1)) x |= ~(SemU128)0 << from;
        if (bits < 128) x &= ((SemU128)1 << bits) - 1;
        r |= x << (bits * k);
    }
    return sem_int(to, r);
}

static InterpStatus load(Interp *it, const ClifInstData *d, SemValue base, int64_t offset,
                         SemValue *out) {
    ClifMemFlags m = clif_memflags(vec_last(&it->frames).f, d->aux);
    ClifType to = result_type(it);
    Narrow nw = narrow((ClifOp)d->op);
    ClifType t = nw.mem ? nw.mem : to;
    if (clif_type_is_dynamic(t) || clif_type_bits(t) > 128)
        return interp_unsupported(it, "meaning for this type of");
    uint8_t *p;
    InterpStatus st = reach(it, address(base, offset), clif_type_bytes(t), m, &p);
    if (st != INTERP_OK) return st;
    *out = read_value(p, t, m.bits & CLIF_MEM_BIG);
    if (nw.mem) *out = extended(*out, to, nw.is_signed);
    return INTERP_OK;
}

static InterpStatus store(Interp *it, const ClifInstData *d, SemValue v, SemValue base,
                          int64_t offset) {
    ClifMemFlags m = clif_memflags(vec_last(&it->frames).f, d->aux);
    Narrow nw = narrow((ClifOp)d->op);
    if (clif_type_is_dynamic(v.type) || clif_type_bits(v.type) > 128)
        return interp_unsupported(it, "meaning for this type of");
    uint32_t n = clif_type_bytes(nw.mem ? nw.mem : v.type);
    uint8_t *p;
    InterpStatus st = reach(it, address(base, offset), n, m, &p);
    if (st != INTERP_OK) return st;
    write_value(p, v, n, m.bits & CLIF_MEM_BIG);
    return INTERP_OK;
}

static InterpStatus atomic(Interp *it, const ClifInstData *d, const SemValue *in, SemValue *out) {
    ClifMemFlags m = clif_memflags(vec_last(&it->frames).f, d->aux);
    uint8_t *p;
    InterpStatus st = reach(it, address(in[0], 0), clif_type_bytes(d->type), m, &p);
    if (st != INTERP_OK) return st;
    bool big = m.bits & CLIF_MEM_BIG;
    *out = read_value(p, (ClifType)d->type, big);
    SemValue next = *out;
    if (d->op == CLIF_OP_ATOMIC_RMW)
        next = sem_rmw((ClifRmwOp)d->c, *out, in[1]);
    else if (sem_bits(*out) == sem_bits(in[1]))
        next = in[2];
    write_value(p, next, clif_type_bytes(d->type), big);
    return INTERP_OK;
}

/* ---- addresses ---- */
static bool placed(const Interp *it, const ClifFunc *f, ClifName name, uint32_t *address) {
    name = clif_resolve_name(f, name);
    for (uint32_t k = 0; k < it->data.n; k++) {
        ClifName x = it->data.p[k].name;
        *address = it->data.p[k].address;
        if (x.kind == name.kind && x.a == name.a && x.b == name.b) return true;
    }
    return false;
}

/* Bases are followed to the one that stands on its own, then the way back is computed. */
static InterpStatus global_value(Interp *it, uint32_t gv, SemValue *out) {
    const InterpFrame *fr = &vec_last(&it->frames);
    const ClifFunc *f = fr->f;
    vec_clear(&it->way);
    InterpStatus st = INTERP_OK;
    while (f->gvs.p[gv].kind == CLIF_GV_LOAD || f->gvs.p[gv].kind == CLIF_GV_IADD_IMM) {
        vec_push(it->mem, &it->way, gv);
        gv = f->gvs.p[gv].base;
    }
    const ClifGlobalValueData *g = &f->gvs.p[gv];
    uint32_t n, *p = clif_block_params(f, (ClifBlock){f->first_block}, &n), callee, at;
    if (g->kind == CLIF_GV_VMCTX) {
        uint32_t k = 0;
        while (k < n && f->abi_params.p[f->sig.params + k].purpose != CLIF_ARG_VMCTX) k++;
        *out = it->values.p[fr->values + p[k]];
    } else if (g->kind == CLIF_GV_SYMBOL && (callee = interp_find(it, f, g->name)) != CLIF_NONE) {
        *out = sem_int(CLIF_I64, INTERP_CODE_BASE + 16u * callee + (uint64_t)g->offset);
    } else if (g->kind == CLIF_GV_SYMBOL && placed(it, f, g->name, &at)) {
        *out = sem_int(CLIF_I64, at + (uint64_t)g->offset);
    } else {
        st = interp_unsupported(it, "such global value");
    }
    while (it->way.n && st == INTERP_OK) {
        g = &f->gvs.p[vec_pop(&it->way)];
        uint64_t a = address(*out, g->offset);
        if (g->kind == CLIF_GV_IADD_IMM) {
            *out = sem_int(g->type, a);
            continue;
        }
        const uint8_t *bytes = inside(it, a, clif_type_bytes(g->type));
        if (!bytes)
            st = interp_trap(it, CLIF_TRAP_HEAP_OUT_OF_BOUNDS);
        else
            *out = read_value(bytes, g->type, clif_memflags(f, g->memflags).bits & CLIF_MEM_BIG);
    }
    return st;
}

InterpStatus interp_memory(Interp *it, const ClifInstData *d, const SemValue *in, SemValue *out,
                           bool *is_memory) {
    const InterpFrame *fr = &vec_last(&it->frames);
    *is_memory = true;
    switch ((ClifFormat)clif_op_info[d->op].format) {
    case CLIF_FMT_Load: return load(it, d, in[0], (int32_t)d->b, out);
    case CLIF_FMT_Store: return store(it, d, in[0], in[1], (int32_t)d->c);
    case CLIF_FMT_StoreNoOffset: return store(it, d, in[0], in[1], 0);
    case CLIF_FMT_AtomicRmw:
    case CLIF_FMT_AtomicCas: return atomic(it, d, in, out);
    case CLIF_FMT_LoadNoOffset:
        if (d->op == CLIF_OP_ATOMIC_LOAD) return load(it, d, in[0], 0, out);
        break;
    case CLIF_FMT_StackAddr:
        if (d->b >= fr->f->slots.p[d->a].size) return interp_trap(it, CLIF_TRAP_HEAP_OUT_OF_BOUNDS);
        *out = sem_int((ClifType)d->type,
                       fr->stack + it->slot_offsets.p[it->funcs.p[fr->func].slots + d->a] + d->b);
        return INTERP_OK;
    case CLIF_FMT_FuncAddr: {
        ClifName name = fr->f->funcs.p[d->a].name;
        if (name.kind == CLIF_NAME_LIBCALL) {
            *out = sem_int((ClifType)d->type, INTERP_LIBCALL_BASE + 16u * name.a);
            return INTERP_OK;
        }
        uint32_t k = interp_find(it, fr->f, name);
        if (k == CLIF_NONE) return interp_unsupported(it, "such function");
        *out = sem_int((ClifType)d->type, INTERP_CODE_BASE + 16u * k);
        return INTERP_OK;
    }
    case CLIF_FMT_UnaryGlobalValue: return global_value(it, d->a, out);
    default: break;
    }
    switch (d->op) {
    case CLIF_OP_GET_PINNED_REG:
        *out = sem_int((ClifType)d->type, sem_bits(it->pinned));
        return INTERP_OK;
    case CLIF_OP_GET_STACK_POINTER: *out = sem_int((ClifType)d->type, fr->stack); return INTERP_OK;
    case CLIF_OP_GET_FRAME_POINTER:
        *out = sem_int((ClifType)d->type, fr->stack + it->funcs.p[fr->func].frame_size);
        return INTERP_OK;
    case CLIF_OP_GET_RETURN_ADDRESS: /* behind the code of the caller; 0: there is none */
        *out = sem_int((ClifType)d->type,
                       it->frames.n > 1 ? INTERP_CODE_BASE + 16u * fr[-1].func + 8 : 0);
        return INTERP_OK;
    default: break;
    }
    if (d->op == CLIF_OP_SET_PINNED_REG) {
        it->pinned = in[0];
        return INTERP_OK;
    }
    *is_memory = false;
    return INTERP_OK;
}

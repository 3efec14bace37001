/* api/cabi.c — C signatures classified, and the moves between structures in memory and CLIF parameters.
 *
 * Problem     A C compiler splits, copies or replaces structures by rules of the platform; a front end that calls C must follow
 *             them to the byte.
 * Idea        System V: a structure of up to 16 bytes whose fields lie on their own alignment is one or two eightbytes,
 *             each SSE if all its fields are floats, else INTEGER. It goes in registers if all its eightbytes find one,
 *             else as a whole to the stack; so registers are counted here, though CLIF assigns them. Windows: what has 1, 2,
 *             4 or 8 bytes is an integer, all else the address of a copy.
 *             Nested fields are walked with a stack of fixed depth.
 * Invariants  No byte outside a structure is read or written: an eightbyte of 3, 5, 6 or 7 bytes is put together from
 *             powers of two.
 * Cost        linear in fields (array elements beyond one eightbyte's worth are skipped) and arguments.
 * Ref         System V ABI, AMD64 supplement 1.0, 3.2.3; Microsoft, "x64 calling convention". */
#include "cot/cabi.h"
#include "api/clif_int.h"

enum { DEPTH = 32 };
typedef struct Scalar {
    uint8_t bytes, type, ext, is_float;
} Scalar;
static const Scalar scalars[] = {
    [COT_C_VOID] = {0, 0, 0, 0},
    [COT_C_I8] = {1, COT_TYPE_I8, COT_EXT_SIGN, 0},
    [COT_C_U8] = {1, COT_TYPE_I8, COT_EXT_ZERO, 0},
    [COT_C_I16] = {2, COT_TYPE_I16, COT_EXT_SIGN, 0},
    [COT_C_U16] = {2, COT_TYPE_I16, COT_EXT_ZERO, 0},
    [COT_C_I32] = {4, COT_TYPE_I32, COT_EXT_SIGN, 0},
    [COT_C_U32] = {4, COT_TYPE_I32, COT_EXT_ZERO, 0},
    [COT_C_I64] = {8, COT_TYPE_I64, COT_EXT_NONE, 0},
    [COT_C_U64] = {8, COT_TYPE_I64, COT_EXT_NONE, 0},
    [COT_C_POINTER] = {8, COT_TYPE_I64, COT_EXT_NONE, 0},
    [COT_C_FLOAT] = {4, COT_TYPE_F32, COT_EXT_NONE, 1},
    [COT_C_DOUBLE] = {8, COT_TYPE_F64, COT_EXT_NONE, 1},
};

static bool good_type(const CotCType *t, bool result) {
    if (!t || t->kind > COT_C_STRUCT || (t->kind == COT_C_VOID && !result)) return false;
    if (t->kind != COT_C_STRUCT) return true;
    return t->align && !(t->align & (t->align - 1)) && t->size % t->align == 0 &&
           t->size < 0x40000000 && (!t->nfields || t->fields);
}
static uint32_t size_of(const CotCType *t) {
    return t->kind == COT_C_STRUCT ? t->size : scalars[t->kind].bytes;
}
static uint32_t align_of(const CotCType *t) {
    return t->kind == COT_C_STRUCT ? t->align : scalars[t->kind].bytes;
}

CotStatus cot_c_layout(CotCField *fields, uint32_t n, CotCType *type, CotError *error) {
    uint64_t at = 0;
    uint32_t align = 1;
    if (!type || (n && !fields))
        return api_fail(error, COT_MISUSE, "no fields or no type is given");
    for (uint32_t k = 0; k < n; k++) {
        const CotCType *t = fields[k].type;
        if (!good_type(t, false)) return api_fail(error, COT_MISUSE, "field %u has no type", k);
        uint64_t a = align_of(t);
        at = (at + a - 1) / a * a;
        if (at > 0x20000000) return api_fail(error, COT_LIMIT, "a structure of more than 512 MiB");
        fields[k].offset = (uint32_t)at;
        at += (uint64_t)size_of(t) * (fields[k].count ? fields[k].count : 1);
        if (a > align) align = (uint32_t)a;
    }
    at = (at + align - 1) / align * align;
    if (at > 0x20000000) return api_fail(error, COT_LIMIT, "a structure of more than 512 MiB");
    *type = (CotCType){COT_C_STRUCT, (uint32_t)at, align, fields, n};
    return COT_OK;
}

/* ---- System V: classes of the eightbytes of a structure of at most 16 bytes ---- */
typedef struct Walk {
    const CotCType *t;
    uint32_t base, field, element;
} Walk;
enum { CLASS_NONE, CLASS_SSE, CLASS_INT };
/* False: it belongs in memory. *deep: nested too deeply. */
static bool classify(const CotCType *t, uint8_t cls[2], bool *deep) {
    Walk stack[DEPTH];
    unsigned n = 1;
    stack[0] = (Walk){t, 0, 0, 0};
    while (n) {
        Walk *w = &stack[n - 1];
        if (w->field == w->t->nfields) {
            n--;
            continue;
        }
        const CotCField *f = &w->t->fields[w->field];
        uint64_t at = w->base + f->offset + (uint64_t)w->element * size_of(f->type);
        uint32_t size = size_of(f->type), count = f->count ? f->count : 1;
        if (++w->element >= count || size == 0) w->element = 0, w->field++;
        if (at + size > t->size || at % align_of(f->type)) return false;
        if (f->type->kind == COT_C_STRUCT) {
            if (n == DEPTH) {
                *deep = true;
                return false;
            }
            stack[n++] = (Walk){f->type, (uint32_t)at, 0, 0};
        } else {
            uint8_t c = scalars[f->type->kind].is_float ? CLASS_SSE : CLASS_INT;
            if (c > cls[at / 8]) cls[at / 8] = c;
        }
    }
    return true;
}

/* Fields must be good all the way down before anything follows them. */
static bool good_fields(const CotCType *t) {
    Walk stack[DEPTH];
    unsigned n = 1;
    if (t->kind != COT_C_STRUCT) return true;
    stack[0] = (Walk){t, 0, 0, 0};
    while (n) {
        Walk *w = &stack[n - 1];
        if (w->field == w->t->nfields) {
            n--;
            continue;
        }
        const CotCField *f = &w->t->fields[w->field++];
        if (!good_type(f->type, false)) return false;
        if (f->type->kind == COT_C_STRUCT && n < DEPTH) stack[n++] = (Walk){f->type, 0, 0, 0};
    }
    return true;
}

static void split(const CotCType *t, const uint8_t cls[2], CotCArg *a) {
    a->how = COT_C_DIRECT;
    for (uint32_t k = 0; k * 8 < t->size; k++) {
        uint32_t bytes = t->size - k * 8 < 8 ? t->size - k * 8 : 8;
        uint32_t type =
            cls[k] == CLASS_SSE ? bytes == 4 ? COT_TYPE_F32 : COT_TYPE_F64 : COT_TYPE_I64;
        a->parts[a->nparts++] = (CotCPart){type, k * 8, bytes};
    }
}

static void scalar_part(const CotCType *t, CotCArg *a) {
    const Scalar *s = &scalars[t->kind];
    a->how = COT_C_DIRECT;
    a->nparts = 1;
    a->parts[0] = (CotCPart){s->type, 0, s->bytes};
}

typedef struct Regs {
    uint32_t ints, floats;
} Regs;

static CotStatus sysv_arg(const CotCType *t, bool result, Regs *r, CotCArg *a, CotError *error) {
    uint8_t cls[2] = {CLASS_NONE, CLASS_NONE};
    bool deep = false;
    if (t->kind != COT_C_STRUCT) {
        scalar_part(t, a);
    } else if (t->size == 0) {
        a->how = COT_C_IGNORE;
        return COT_OK;
    } else if (t->size > 16 || !classify(t, cls, &deep)) {
        if (deep)
            return api_fail(error, COT_UNSUPPORTED, "structures nested deeper than %d", DEPTH);
        a->how = result ? COT_C_HIDDEN : COT_C_STACK;
    } else {
        split(t, cls, a);
    }
    if (a->how == COT_C_DIRECT) {
        Regs need = {0, 0};
        for (uint32_t k = 0; k < a->nparts; k++)
            a->parts[k].type >= COT_TYPE_F32 ? need.floats++ : need.ints++;
        if (need.ints > r->ints || need.floats > r->floats) {
            if (t->kind == COT_C_STRUCT) {
                a->how = COT_C_STACK;
                a->nparts = 0;
            }
        } else {
            r->ints -= need.ints;
            r->floats -= need.floats;
        } /* a scalar that finds no register goes to the stack by itself */
    }
    if (a->how == COT_C_STACK && t->align > 8)
        return api_fail(error, COT_UNSUPPORTED,
                        "a structure aligned to %u bytes is passed on the stack", t->align);
    return COT_OK;
}

static CotStatus windows_arg(const CotCType *t, bool result, bool unnamed, CotCArg *a) {
    uint32_t n = t->size;
    if (t->kind != COT_C_STRUCT) {
        scalar_part(t, a);
        if (unnamed && t->kind == COT_C_DOUBLE)
            a->parts[0].type = COT_TYPE_I64; /* where va_arg looks */
    } else if (n == 1 || n == 2 || n == 4 || n == 8) {
        a->how = COT_C_DIRECT;
        a->nparts = 1;
        a->parts[0] = (CotCPart){COT_TYPE_I64, 0, n};
    } else if (n == 0) {
        a->how = COT_C_IGNORE;
    } else {
        a->how = result ? COT_C_HIDDEN : COT_C_ADDRESS;
    }
    return COT_OK;
}

static bool promoted(const CotCType *t) {
    return t->kind != COT_C_FLOAT && (t->kind >= COT_C_I32 || t->kind == COT_C_STRUCT);
}

CotStatus cot_c_abi(const CotCSignature *c, CotCAbi *abi, CotError *error) {
    if (!c || !abi || !abi->params || (c->nargs && (!c->args || !abi->args)) || c->nargs > 100000 ||
        (c->convention != COT_CONV_SYSTEM_V && c->convention != COT_CONV_WINDOWS) ||
        (c->variadic && c->nfixed > c->nargs) || !good_type(c->result, true) ||
        !good_fields(c->result))
        return api_fail(error, COT_MISUSE, "not a C signature, or no room for what is computed");
    bool windows = c->convention == COT_CONV_WINDOWS;
    Regs r = {6, 8}, ret = {2, 2};
    uint32_t n = 0;
    memset(&abi->result, 0, sizeof abi->result);
    abi->signature = (CotSignature){.convention = c->convention,
                                    .variadic = c->variadic != 0,
                                    .params = abi->params,
                                    .returns = abi->returns};
    abi->c = c;
    CotStatus s = COT_OK;
    if (c->result->kind != COT_C_VOID)
        s = windows ? windows_arg(c->result, true, false, &abi->result)
                    : sysv_arg(c->result, true, &ret, &abi->result, error);
    if (s) return s;
    if (abi->result.how == COT_C_HIDDEN) {
        abi->params[n++] = (CotParam){COT_TYPE_I64, 0, 0, 0};
        abi->returns[0] = (CotParam){COT_TYPE_I64, 0, 0, 0};
        abi->signature.nreturns = 1;
        r.ints--;
    }
    for (uint32_t k = 0; k < abi->result.nparts; k++)
        abi->returns[k] = (CotParam){abi->result.parts[k].type,
                                     scalars[c->result->kind % COT_C_STRUCT].ext, 0, 0};
    if (abi->result.how == COT_C_DIRECT) abi->signature.nreturns = abi->result.nparts;
    for (uint32_t i = 0; i < c->nargs; i++) {
        const CotCType *t = c->args[i];
        CotCArg *a = &abi->args[i];
        bool unnamed = c->variadic && i >= c->nfixed;
        *a = (CotCArg){.first = n};
        if (!good_type(t, false) || !good_fields(t) || (unnamed && !promoted(t)))
            return api_fail(error, COT_MISUSE, "argument %u has no type that is passed", i);
        s = windows ? windows_arg(t, false, unnamed, a) : sysv_arg(t, false, &r, a, error);
        if (s) return s;
        uint32_t ext = scalars[t->kind % COT_C_STRUCT].ext;
        for (uint32_t k = 0; k < a->nparts; k++)
            abi->params[n++] = (CotParam){a->parts[k].type, ext, 0, 0};
        if (a->how == COT_C_ADDRESS) abi->params[n++] = (CotParam){COT_TYPE_I64, 0, 0, 0};
        if (a->how == COT_C_STACK)
            abi->params[n++] = (CotParam){COT_TYPE_I64, 0, COT_PARAM_STRUCT, (t->size + 7) & ~7u};
    }
    abi->signature.nparams = n;
    return COT_OK;
}

/* ---- moves ---- */
static uint32_t load_bytes(CotFunction *f, uint32_t at, uint32_t offset, uint32_t bytes) {
    int32_t o = (int32_t)offset;
    if (bytes == 8) return cot_ins_load(f, COT_TYPE_I64, 0, at, o);
    if (bytes == 4) return cot_ins_uload32(f, 0, at, o);
    if (bytes == 2) return cot_ins_uload16(f, COT_TYPE_I64, 0, at, o);
    if (bytes == 1) return cot_ins_uload8(f, COT_TYPE_I64, 0, at, o);
    uint32_t low = bytes > 4 ? 4 : 2; /* 3, 5, 6, 7 */
    uint32_t x = load_bytes(f, at, offset, low), rest = bytes - low;
    uint32_t first = rest > 2 ? 2 : rest;
    uint32_t y = load_bytes(f, at, offset + low, first);
    x = cot_ins_bor(f, x, cot_ins_ishl(f, y, cot_ins_iconst(f, COT_TYPE_I64, 8 * (int64_t)low)));
    if (rest == first) return x;
    y = load_bytes(f, at, offset + low + first, rest - first);
    return cot_ins_bor(
        f, x, cot_ins_ishl(f, y, cot_ins_iconst(f, COT_TYPE_I64, 8 * (int64_t)(low + first))));
}

static void store_bytes(CotFunction *f, uint32_t x, uint32_t at, uint32_t offset, uint32_t bytes) {
    for (uint32_t done = 0, n; done < bytes; done += n) {
        uint32_t left = bytes - done;
        int32_t o = (int32_t)(offset + done);
        n = left >= 8 ? 8 : left >= 4 ? 4 : left >= 2 ? 2 : 1;
        uint32_t v =
            done ? cot_ins_ushr(f, x, cot_ins_iconst(f, COT_TYPE_I64, 8 * (int64_t)done)) : x;
        if (n == 8)
            cot_ins_store(f, 0, v, at, o);
        else if (n == 4)
            cot_ins_istore32(f, 0, v, at, o);
        else if (n == 2)
            cot_ins_istore16(f, 0, v, at, o);
        else
            cot_ins_istore8(f, 0, v, at, o);
    }
}

static uint32_t load_part(CotFunction *f, const CotCPart *p, uint32_t at) {
    if (p->type == COT_TYPE_I64) return load_bytes(f, at, p->offset, p->bytes);
    return cot_ins_load(f, p->type, 0, at, (int32_t)p->offset);
}
static void store_part(CotFunction *f, const CotCPart *p, uint32_t value, uint32_t at) {
    if (p->type == COT_TYPE_I64)
        store_bytes(f, value, at, p->offset, p->bytes);
    else
        cot_ins_store(f, 0, value, at, (int32_t)p->offset);
}

static uint32_t slot_address(CotFunction *f, const CotCType *t) {
    uint32_t slot = cot_function_stack_slot(f, t->size, t->align > 16 ? t->align : 16);
    return cot_ins_stack_addr(f, COT_TYPE_I64, slot, 0);
}

/* The import of memcpy, one per function. */
static uint32_t memcpy_ref(CotFunction *f) {
    static const CotParam p[3] = {
        {COT_TYPE_I64, 0, 0, 0}, {COT_TYPE_I64, 0, 0, 0}, {COT_TYPE_I64, 0, 0, 0}};
    if (f->memcpy_ref == COT_NONE) {
        CotSignature s = {COT_CONV_SYSTEM_V, 0, 3, 1, p, p};
        uint32_t sig = cot_function_signature(f, &s);
        ClifExtFunc e = {.name = {CLIF_NAME_LIBCALL, CLIF_LIBCALL_MEMCPY, 0}, .sig = {sig}};
        if (sig != COT_NONE) f->memcpy_ref = clif_import_func(&f->f, e).i;
    }
    return f->memcpy_ref;
}
static void copy(CotFunction *f, uint32_t to, uint32_t from, uint32_t size) {
    if (size > 128) {
        uint32_t args[3] = {to, from, cot_ins_iconst(f, COT_TYPE_I64, size)};
        cot_ins_call(f, memcpy_ref(f), args, 3);
        return;
    }
    for (uint32_t at = 0, n; at < size; at += n) {
        n = size - at >= 8 ? 8 : size - at;
        store_bytes(f, load_bytes(f, from, at, n), to, at, n);
    }
}

static uint32_t step_copy(CotFunction *f, const void *in) {
    const uint32_t *a = in; /* to, from, size */
    copy(f, a[0], a[1], a[2]);
    return 0;
}

/* The values of one argument's parameters, appended. */
static uint32_t push_arg(CotFunction *f, const CotCType *t, const CotCArg *a, uint32_t x,
                         uint32_t *to) {
    if (a->how == COT_C_IGNORE) return 0;
    if (a->how == COT_C_ADDRESS) {
        *to = slot_address(f, t);
        copy(f, *to, x, t->size);
        return 1;
    }
    if (a->how == COT_C_STACK) {
        *to = x;
        if (t->size % 8) { /* the call copies whole eightbytes */
            CotCType whole = {COT_C_STRUCT, (t->size + 7) & ~7u, 8, NULL, 0};
            *to = slot_address(f, &whole);
            copy(f, *to, x, t->size);
        }
        return 1;
    }
    if (t->kind != COT_C_STRUCT) {
        bool bits = t->kind == COT_C_DOUBLE && a->parts[0].type == COT_TYPE_I64;
        *to = bits ? cot_ins_bitcast(f, COT_TYPE_I64, 0, x) : x;
        return 1;
    }
    for (uint32_t k = 0; k < a->nparts; k++) to[k] = load_part(f, &a->parts[k], x);
    return a->nparts;
}

typedef struct Call {
    const CotCAbi *abi;
    uint32_t callee, signature, address, result_at;
    const uint32_t *args;
    uint32_t *out;
} Call;

static uint32_t step_call(CotFunction *f, const void *in) {
    const Call *c = in;
    const CotCAbi *a = c->abi;
    uint32_t n = 0, inst;
    vec_clear(&f->c_args);
    vec_resize0(&f->mem, &f->c_args, 2 * (uint64_t)a->c->nargs + 1);
    if (a->result.how == COT_C_HIDDEN) f->c_args.p[n++] = c->result_at;
    for (uint32_t k = 0; k < a->c->nargs; k++)
        n += push_arg(f, a->c->args[k], &a->args[k], c->args[k], f->c_args.p + n);
    if (c->callee != COT_NONE)
        inst = cot_ins_call(f, c->callee, f->c_args.p, n);
    else
        inst = cot_ins_call_indirect(f, c->signature, c->address, f->c_args.p, n);
    if (a->result.how != COT_C_DIRECT) return COT_NONE;
    if (a->c->result->kind != COT_C_STRUCT) return cot_ins_result(f, inst, 0);
    for (uint32_t k = 0; k < a->result.nparts; k++)
        store_part(f, &a->result.parts[k], cot_ins_result(f, inst, k), c->result_at);
    return COT_NONE;
}

uint32_t cot_c_call(CotFunction *f, const CotCAbi *abi, uint32_t callee, uint32_t signature,
                    uint32_t address, const uint32_t *args, uint32_t result_at) {
    return api_build(f, step_call, &(Call){abi, callee, signature, address, result_at, args, NULL});
}

static uint32_t step_enter(CotFunction *f, const void *in) {
    const Call *c = in;
    const CotCAbi *a = c->abi;
    for (uint32_t i = 0; i < a->c->nargs; i++) {
        const CotCArg *g = &a->args[i];
        uint32_t p = c->address + g->first;
        c->out[i] = p;
        if (a->c->args[i]->kind != COT_C_STRUCT || g->how == COT_C_ADDRESS || g->how == COT_C_STACK)
            continue;
        c->out[i] = slot_address(f, a->c->args[i]);
        for (uint32_t k = 0; k < g->nparts; k++) store_part(f, &g->parts[k], p + k, c->out[i]);
    }
    return 0;
}
void cot_c_enter(CotFunction *f, const CotCAbi *abi, uint32_t first_param, uint32_t *out) {
    api_build(f, step_enter, &(Call){.abi = abi, .address = first_param, .out = out});
}

void cot_c_return(CotFunction *f, const CotCAbi *abi, uint32_t first_param, uint32_t value) {
    uint32_t v[2] = {value, COT_NONE}, n = abi->result.nparts;
    if (abi->result.how == COT_C_HIDDEN) {
        api_build(f, step_copy, (uint32_t[]){first_param, value, abi->c->result->size});
        v[0] = first_param;
        n = 1;
    } else if (n && abi->c->result->kind == COT_C_STRUCT) {
        for (uint32_t k = 0; k < n; k++) v[k] = load_part(f, &abi->result.parts[k], value);
    }
    cot_ins_return(f, v, n);
}

/* rtapi/func.c — functions: calls both ways, with values checked at the border.
 *
 * Idea        A CotFunc is the function's reference, so that passing a function as a value costs nothing. The runtime calls
 *             with arrays of 16-byte values; the public ones carry their type. Small arrays lie on the stack.
 * Invariants  A host function's arrays are given back before its ending is raised: bridge returns to the runtime. */
#include <stdio.h>
#include "rtapi/rtapi.h"

enum { FEW = 16 }; /* values that need no allocation */

bool api_is_type(CotType t) {
    return t == COT_I32 || t == COT_I64 || t == COT_F32 || t == COT_F64 || t == COT_V128 ||
           t == COT_FUNCREF || t == COT_EXTERNREF;
}

static const char *type_name(CotType t) {
    switch (t) {
    case COT_I32: return "i32";
    case COT_I64: return "i64";
    case COT_F32: return "f32";
    case COT_F64: return "f64";
    case COT_V128: return "v128";
    case COT_FUNCREF: return "funcref";
    case COT_EXTERNREF: return "externref";
    }
    return "an unknown type";
}

RtFunc api_func(const CotFunc *f) {
    return rt_func_of_ref(func_rt(f));
}

CotFunc *api_func_handle(const RtFunc *f) {
    return func_api(rt_func_handle(f));
}

CotValue api_value(CotType t, const RtVal *v) {
    CotValue r = {.type = t, .of = {.v128 = {0}}};
    if (t == COT_V128)
        memcpy(&r.of, v, 16);
    else if (t == COT_I64 || t == COT_F64)
        memcpy(&r.of, v, 8);
    else if (t == COT_I32 || t == COT_F32)
        memcpy(&r.of, v, 4);
    else if (t == COT_FUNCREF)
        r.of.func = func_api(v->ref);
    else
        r.of.ext = v->ref;
    return r;
}

CotStatus api_to_rt(const RtStore *s, CotType want, const CotValue *v, RtVal *out, CotError *e) {
    memset(out, 0, sizeof *out);
    if (v->type != want)
        return api_fail(e, COT_MISUSE, "a value of type %s is needed, not of %s", type_name(want),
                        type_name(v->type));
    if (want == COT_V128) {
        memcpy(out, &v->of, 16);
    } else if (want == COT_I64 || want == COT_F64) {
        memcpy(out, &v->of, 8);
    } else if (want == COT_I32 || want == COT_F32) {
        memcpy(out, &v->of, 4);
    } else if (want == COT_EXTERNREF) {
        out->ref = v->of.ext;
    } else if (v->of.func) {
        RtFunc f = api_func(v->of.func);
        if (rt_func_store(&f) != s)
            return api_fail(e, COT_MISUSE, "the function belongs to another store");
        Diag d;
        diag_clear(&d);
        if (f.host)
            out->ref = rt_func_ref(&f, &d);
        else
            out->ref = func_rt(v->of.func);
        if (!out->ref) return api_fail_diag(e, &d);
    }
    return COT_OK;
}

CotFuncType cot_func_type(const CotFunc *func) {
    RtFunc f = api_func(func);
    CotFuncType t;
    uint32_t np, nr;
    rt_func_type(&f, &t.params, &np, &t.results, &nr);
    t.nparams = np;
    t.nresults = nr;
    return t;
}

/* ---- calls from C ---- */
CotStatus cot_func_call(CotFunc *func, const CotValue *args, size_t nargs, CotValue *results,
                        size_t nresults, CotError *error) {
    if (!func) return api_fail(error, COT_MISUSE, "there is no function");
    RtFunc f = api_func(func);
    RtStore *s = rt_func_store(&f);
    const WasmType *params, *res;
    uint32_t np, nr;
    rt_func_type(&f, &params, &np, &res, &nr);
    if (np != nargs || nr != nresults)
        return api_fail(error, COT_MISUSE,
                        "the function takes %u arguments and gives %u results, not %zu and %zu", np,
                        nr, nargs, nresults);
    RtVal few[FEW], *v = few;
    size_t n = np > nr ? np : nr;
    if (n > FEW && !(v = rt_store_alloc(s, n * sizeof *v)))
        return api_fail(error, COT_NO_MEMORY, "out of memory");
    CotStatus st = COT_OK;
    for (uint32_t i = 0; i < np && st == COT_OK; i++)
        st = api_to_rt(s, params[i], &args[i], &v[i], error);
    if (st == COT_OK) {
        if (rt_call(s, &f, v))
            for (uint32_t i = 0; i < nr; i++) results[i] = api_value(res[i], &v[i]);
        else
            st = api_fail_run(error, s);
    }
    if (v != few) rt_store_give_back(s, v, n * sizeof *v);
    return st;
}

/* ---- calls from Wasm ---- */
typedef struct HostFunc { /* in the store's arena */
    RtStore *store;
    CotHostFn fn;
    void *user;
    RtFunc rt;
} HostFunc;

struct CotCaller {
    RtStore *store;
    RtInstance *instance;
    CotStatus ending; /* what cot_caller_trap or cot_caller_exit asked for, else COT_OK */
    int code;
    char message[128];
};

CotStore *cot_caller_store(const CotCaller *c) {
    return store_api(c->store);
}
CotInstance *cot_caller_instance(const CotCaller *c) {
    return instance_api(c->instance);
}
CotMemory *cot_caller_memory(const CotCaller *c) {
    return c->instance ? memory_api(rt_instance_memory0(c->instance)) : NULL;
}
CotStatus cot_caller_trap(CotCaller *c, const char *message) {
    snprintf(c->message, sizeof c->message, "%s", message);
    return c->ending = COT_TRAP;
}
CotStatus cot_caller_exit(CotCaller *c, int code) {
    c->code = code;
    return c->ending = COT_EXIT;
}

static RtHostResult end(CotCaller *c, CotStatus st) {
    if (st == COT_TRAP && c->ending == COT_TRAP) {
        rt_host_trap(c->store, c->message);
        return RT_HOST_TRAP;
    }
    if (st == COT_EXIT && c->ending == COT_EXIT) {
        rt_host_exit(c->store, c->code);
        return RT_HOST_EXIT;
    }
    if (st == COT_TRAP || st == COT_EXIT) /* of a call that failed in it; else a nameless trap */
        return RT_HOST_PROPAGATE;
    snprintf(c->message, sizeof c->message, "host function failed: %s", cot_status_name(st));
    rt_host_trap(c->store, c->message);
    return RT_HOST_TRAP;
}

static RtHostResult run(HostFunc *h, CotCaller *c, CotValue *args, CotValue *results, RtVal *vals,
                        const WasmType *params, uint32_t np, const WasmType *res, uint32_t nr) {
    for (uint32_t i = 0; i < np; i++) args[i] = api_value(params[i], &vals[i]);
    for (uint32_t i = 0; i < nr; i++) results[i] = (CotValue){.type = res[i], .of = {.v128 = {0}}};
    CotStatus st = h->fn(h->user, c, args, results);
    if (st != COT_OK) return end(c, st);
    for (uint32_t i = 0; i < nr; i++) {
        CotError e;
        st = api_to_rt(h->store, res[i], &results[i], &vals[i], &e);
        if (st == COT_OK) continue;
        snprintf(c->message, sizeof c->message, "result %u of a host function: %.80s", i,
                 e.message);
        rt_host_trap(h->store, c->message);
        return RT_HOST_TRAP;
    }
    return RT_HOST_OK;
}

static RtHostResult bridge(void *user, RtInstance *caller, RtVal *vals) {
    HostFunc *h = user;
    CotCaller c = {.store = h->store, .instance = caller, .ending = COT_OK};
    const WasmType *params, *res;
    uint32_t np, nr;
    rt_func_type(&h->rt, &params, &np, &res, &nr);
    CotValue few[FEW], *v = few;
    size_t bytes = ((size_t)np + nr) * sizeof *v;
    if (np + nr > FEW && !(v = rt_store_alloc(h->store, bytes))) return end(&c, COT_NO_MEMORY);
    RtHostResult r = run(h, &c, v, v + np, vals, params, np, res, nr);
    if (v != few) rt_store_give_back(h->store, v, bytes);
    return r;
}

CotFunc *cot_func_new(CotStore *store, CotFuncType type, CotHostFn function, void *user,
                      CotError *error) {
    RtStore *s = store_rt(store);
    if (type.nparams > WASM_MAX_PARAMS || type.nresults > WASM_MAX_RESULTS) {
        api_fail(error, COT_LIMIT, "a function has at most %d parameters and %d results",
                 (int)WASM_MAX_PARAMS, (int)WASM_MAX_RESULTS);
        return NULL;
    }
    WasmType types[WASM_MAX_PARAMS + WASM_MAX_RESULTS];
    uint32_t np = (uint32_t)type.nparams, nr = (uint32_t)type.nresults;
    if (np) memcpy(types, type.params, np);
    if (nr) memcpy(types + np, type.results, nr);
    for (uint32_t i = 0; i < np + nr; i++)
        if (!api_is_type(types[i])) {
            api_fail(error, COT_MISUSE, "0x%02x is not a type of values", types[i]);
            return NULL;
        }
    HostFunc *h = rt_store_keep(s, sizeof *h);
    RtExtern x;
    if (!h || !rt_host_func_types(s, types, np, nr, bridge, h, &x)) {
        api_fail(error, COT_NO_MEMORY, "out of memory");
        return NULL;
    }
    *h = (HostFunc){s, function, user, x.func};
    return api_func_handle(&x.func);
}

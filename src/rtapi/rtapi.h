/* rtapi/rtapi.h — the public types in terms of the runtime's, and conversions that several files need.
 *
 * Most public types are the runtime's under another name; only these functions change the one into the other:
 *   CotEngine RtEngine     CotModule RtModule   CotStore RtStore   CotInstance RtInstance
 *   CotMemory RtMemory     CotTable RtTable     CotGlobal RtGlobal CotTrap RtTrap
 *   CotFunc   a funcref (rt_func_ref); of a host function perhaps without code for Wasm yet */
#ifndef COT_RTAPI_RTAPI_H
#define COT_RTAPI_RTAPI_H
#include <string.h>
#include "cot/wasi.h"
#include "runtime/runtime.h"

#define API_ALIAS(Public, Runtime, name)                 \
    static inline Runtime *name##_rt(const Public *p) {  \
        return (Runtime *)(uintptr_t)p;                  \
    }                                                    \
    static inline Public *name##_api(const Runtime *p) { \
        return (Public *)(uintptr_t)p;                   \
    }
API_ALIAS(CotEngine, RtEngine, engine)
API_ALIAS(CotModule, RtModule, module)
API_ALIAS(CotStore, RtStore, store)
API_ALIAS(CotInstance, RtInstance, instance)
API_ALIAS(CotMemory, RtMemory, memory)
API_ALIAS(CotTable, RtTable, table)
API_ALIAS(CotGlobal, RtGlobal, global)
API_ALIAS(CotTrap, RtTrap, trap)
API_ALIAS(CotFunc, void, func)
#undef API_ALIAS

/* error.c */
CotStatus api_status(DiagKind kind);
/* Each returns the status that it stores. */
CotStatus api_fail_diag(CotError *e, const Diag *d);
CotStatus api_fail(CotError *e, CotStatus status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* After rt_call or rt_instantiate has failed: trap or exit. */
CotStatus api_fail_run(CotError *e, const RtStore *s);

/* func.c */
bool api_is_type(CotType t); /* one that exists here */
CotValue api_value(CotType t, const RtVal *v);
/* Checks type and store; makes the code that a host function needs to be called from Wasm. */
CotStatus api_to_rt(const RtStore *s, CotType want, const CotValue *v, RtVal *out, CotError *e);
RtFunc api_func(const CotFunc *f);
CotFunc *api_func_handle(const RtFunc *f); /* NULL cannot happen for exports and host functions */

/* config.c: what a CotConfig begins with; the library with a compiler has more behind it. */
typedef struct ConfigBase {
    RtConfig rt;
    MemHooks hooks; /* what rt.hooks points to */
} ConfigBase;

/* module.c */
bool api_linked_ok(const CotLinkedModule *l, CotError *error); /* is it of our version? */
CotFuncType api_func_type(const Image *m, uint32_t type);
/* instance.c: NULL pointer in the result = out of memory */
CotExtern api_extern(RtInstance *i, uint32_t export_index);
bool api_extern_rt(const CotExtern *x, RtExtern *out); /* false: NULL */
#endif

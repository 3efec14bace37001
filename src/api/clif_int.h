/* api/clif_int.h — what a CotFunction is, and how its functions run: guarded against memory that runs out, and not at all
 * after the first error. */
#ifndef COT_API_CLIF_INT_H
#define COT_API_CLIF_INT_H
#include "clif/builder.h"
#include "clif/opspec.h"
#include "compiler/compiler.h"
#include "cot/jit.h"
#include "module/linkable.h"
#include "rtapi/rtapi.h"
#include "verify/verify.h"

typedef enum FuncState { FUNC_EMPTY, FUNC_BUILDING, FUNC_DONE } FuncState;
struct CotFunction {
    Mem mem;
    ClifFunc f;
    ClifBuilder b;
    VerifyCtx verify;
    FuncState state;
    MachRegalloc regalloc;
    CotStatus status; /* of the first error */
    CotError error;
    VecU8 jt_used, eh_used; /* per table: a branch has it */
    VEC(ClifAbiParam) params;
    VecU32 list;
    VEC(ClifEhItem) items;
    VecU32 c_args;       /* of cot_c_call */
    uint32_t memcpy_ref; /* or COT_NONE */
    StrBuf text;
};

/* One step of work on f: gives a handle or COT_NONE. */
typedef uint32_t FuncStep(CotFunction *f, const void *in);
/* Runs it if f is being built and had no error. */
uint32_t api_build(CotFunction *f, FuncStep *step, const void *in);
/* Runs it in any state but after memory ran out. */
uint32_t api_guard(CotFunction *f, FuncStep *step, const void *in);
/* A definition of f, which has ended, by somebody with memory of their own. Compiling resolves aliases in the function, so memory of
 * both may run out; *broken: f's did, and may have left the other half-way. */
typedef CotStatus DefineStep(void *user, CotError *error);
CotStatus api_define(CotFunction *f, DefineStep *step, void *user, bool *broken, CotError *error);
/* The first error sticks. Gives COT_NONE. */
uint32_t api_stick(CotFunction *f, CotStatus status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void api_stick_diag(CotFunction *f, const Diag *d);
void api_func_reset(CotFunction *f); /* empty, no error */

bool api_clif_type(uint32_t t); /* is it one? */
/* Interned flags; false: an error sticks. */
bool api_mem_flags(CotFunction *f, uint32_t flags, uint16_t *out);
/* A block call to that target; *out; false: an error sticks. `results`: arguments may be COT_ARG_*. */
bool api_target(CotFunction *f, const CotTarget *t, bool results, ListRef *out);

/* First result of an instruction; the second one to *second. */
uint32_t api_result(CotFunction *f, uint32_t inst);
uint32_t api_results(CotFunction *f, uint32_t inst, uint32_t *second);

/* engine.c */
struct CotConfig {
    ConfigBase base;     /* first: rtapi/config.c knows this part only */
    EngineConfig engine; /* its rt is not used */
    Cache cache;         /* what engine.cache points to */
    MachSettings mach;   /* what cot_config_set changed; the rest comes from engine */
    uint64_t given;      /* bit per row of settings.def: cot_config_set named it */
    bool features_given; /* so did cot_config_set_cpu_features */
};
MachSettings api_default_mach(void);
MachRegalloc api_regalloc(CotRegalloc r); /* module.c; what is no choice is none */
/* For object files: position-independent, for any processor, unless c says otherwise. c may be NULL. */
MachSettings api_file_mach(const CotConfig *c);
/* jit.c: *out is t, with the addresses in memory of m that is returned (t->naddresses of them). *d: t makes no sense. */
LinkAddress *api_link_data(Mem *m, const CotData *t, LinkData *out, Diag *d);
/* An object of that size, zeroed, with a Mem of its own at its beginning; NULL: out of memory. */
void *api_new_with_mem(const CotConfig *config, size_t size);
#endif

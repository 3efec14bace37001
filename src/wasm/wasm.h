/* wasm/wasm.h — WebAssembly in, CLIF out: decoding, validation and translation in one pass.
 *
 * wasm_module_parse reads every section but the function bodies (recorded as byte ranges) and validates them;
 * wasm_translate_func reads one body: each byte is decoded, validated and turned into CLIF in the same loop.
 * Bodies are independent: any number of threads may translate bodies of one parsed module, each with its own
 * WasmTranslator. The module points into the caller's bytes, which must outlive it.
 * Errors carry the byte offset in the module and the function index. Spec: core 3.0, chapters 3 and 5.
 */
#ifndef COT_WASM_WASM_H
#define COT_WASM_WASM_H
#include "base/diag.h"
#include "clif/builder.h"
#include "dwarf/dwarf.h"
#include "image/types.h"
#include "image/vmctx.h"

typedef struct WasmFuncType {
    uint32_t params, nparams, results, nresults; /* into WasmModule.valtypes */
    uint32_t canon;                              /* first type index with the same shape */
} WasmFuncType;
typedef struct WasmLimitsT {
    uint64_t min, max;
    bool has_max, shared, is64;
} WasmLimitsT;
typedef struct WasmTableType {
    WasmType elem;
    WasmLimitsT lim;
} WasmTableType;
typedef struct WasmMemoryType {
    WasmLimitsT lim;
} WasmMemoryType;

/* Constant expressions are kept as validated little programs (extended-const included). */
typedef struct WasmConstInst {
    uint32_t op;
    uint64_t imm;
} WasmConstInst;
typedef struct WasmConstExpr {
    uint32_t first, n;
    WasmType type;
} WasmConstExpr; /* into WasmModule.const_insts; postfix order */

typedef struct WasmImport {
    WasmStr module, name;
    WasmExternKind kind;
    uint32_t index; /* in its index space */
} WasmImport;
typedef struct WasmExport {
    WasmStr name;
    WasmExternKind kind;
    uint32_t index;
} WasmExport;
typedef struct WasmGlobal {
    WasmGlobalType type;
    WasmConstExpr init; /* n = 0: imported */
} WasmGlobal;
typedef struct WasmFunc {
    uint32_t type;
    uint32_t body_off, body_len; /* 0,0: imported */
    uint32_t funcref;            /* index among escaped functions or UINT32_MAX */
} WasmFunc;
typedef struct WasmElemSeg {
    WasmSegMode mode;
    WasmType type;
    uint32_t table;
    WasmConstExpr offset;
    uint32_t first, n; /* into elem_exprs */
} WasmElemSeg;
typedef struct WasmDataSeg {
    WasmSegMode mode;
    uint32_t memory;
    WasmConstExpr offset;
    uint32_t off, len; /* bytes in the module */
} WasmDataSeg;
typedef struct WasmCustom {
    WasmStr name;
    uint32_t off, len;
} WasmCustom;

typedef struct WasmFeatures { /* all that this build can do are on by default */
    bool mutable_globals, sign_extension, sat_float_to_int, multi_value, bulk_memory,
        reference_types, extended_const, multi_memory, simd, relaxed_simd;
} WasmFeatures;
WasmFeatures wasm_features_default(void);
/* Switches the feature whose field is called `name` (- and _ are the same); false if there is none. */
bool wasm_feature_set(WasmFeatures *f, const char *name, size_t len, bool on);

typedef struct WasmModule {
    Mem *mem;
    const uint8_t *bytes;
    size_t size;
    WasmFeatures features;
    VEC(WasmFuncType) types;
    VEC(WasmType) valtypes;
    VEC(WasmImport) imports;
    VEC(WasmFunc) funcs; /* imported first, as in the index space; the same for the next three */
    VEC(WasmTableType) tables;
    VEC(WasmMemoryType) memories;
    VEC(WasmGlobal) globals;
    VEC(WasmExport) exports;
    VEC(WasmElemSeg) elems;
    VEC(WasmConstExpr) elem_exprs;
    VEC(WasmDataSeg) datas;
    VEC(WasmConstInst) const_insts;
    VEC(WasmCustom) customs;
    VEC(WasmStr)
    func_names; /* name section, else first export: by function index, p = NULL where unnamed; may be shorter than funcs */
    WasmStr module_name;
    uint32_t num_imported_funcs, num_imported_tables, num_imported_memories, num_imported_globals;
    uint32_t start; /* function index or UINT32_MAX */
    uint32_t
        num_funcrefs; /* escaped functions: exported, in element segments, ref.func'ed, in global initialisers */
    bool has_data_count;
    uint32_t code_off, code_len; /* the code section's payload */
} WasmModule;

bool wasm_module_parse(WasmModule *m, Mem *mem, const uint8_t *bytes, size_t size,
                       const WasmFeatures *features, Diag *d);
void wasm_module_free(WasmModule *m);
/* Debugging information of the source, which counts addresses from code_off on; false: there is none. */
bool wasm_debug_sections(const WasmModule *m, DwarfInput *out);
/* The name of the operator that the n bytes at p begin with; NULL: none does. */
const char *wasm_operator_name(const uint8_t *p, size_t n);
/* The function's name with control characters escaped, or func[N]. */
void wasm_print_func_name(const WasmModule *m, uint32_t func, StrBuf *out);
static inline bool wasm_func_is_import(const WasmModule *m, uint32_t f) {
    return f < m->num_imported_funcs;
}
static inline VmLayout wasm_vm_layout(const WasmModule *m) {
    return vm_layout(&(VmCounts){m->types.n, m->memories.n, m->tables.n, m->num_imported_funcs,
                                 m->globals.n, m->num_funcrefs});
}
bool wasm_functype_equal(const WasmModule *a, uint32_t ta, const WasmModule *b, uint32_t tb);

/* How memories and traps are to be compiled; one value per compiled module (environ.c turns it into CLIF). */
typedef enum WasmMemStyle {
    WASM_MEM_STATIC, /* 32-bit memories are reserved: base never moves, base + index + offset always lands in the
                        reservation (4 GiB + offset guard of 4 GiB) and faults beyond the length: no checks */
    WASM_MEM_CHECKED /* explicit bounds check at each access; base and length loaded when they may have changed */
} WasmMemStyle;
typedef struct WasmTunables {
    WasmMemStyle mem_style;
    bool
        explicit_traps; /* no reliance on hardware faults: division, null and bounds checks are explicit */
    bool interrupt_checks;      /* poll limits->interrupt at loop headers and function entries */
    bool value_labels;          /* label the values of locals and of the context, for debuggers */
    bool spectre_guards;        /* clamp the index on the checked path and in table accesses */
    ClifCallConv callconv;      /* of Wasm functions: fast */
    ClifCallConv host_callconv; /* of builtins: the target's C convention */
} WasmTunables;

typedef struct WasmTranslator WasmTranslator; /* reusable, one per thread */
WasmTranslator *wasm_translator_new(Mem *m);
void wasm_translator_free(WasmTranslator *t);
/* Validates and, if out != NULL, translates function `func` (index space, not imported) into *out, which is cleared
 * first. Names: user name u0:N = function N. Source locations: byte offsets in the module. */
bool wasm_translate_func(WasmTranslator *t, const WasmModule *m, uint32_t func,
                         const WasmTunables *tn, const VmLayout *lay, ClifFunc *out, Diag *d);
/* Number of Wasm operators read by the last call (for cost per operator). */
uint32_t wasm_translator_operators(const WasmTranslator *t);

/* Adapters, in CLIF (adapters.c), so that every target compiles them like any function:
 *  entry:  C convention (vmctx*, code*, uint64_t *values): loads the arguments from values[], calls code under the
 *          Wasm convention, stores the results to values[]; 16 bytes per value, i32 zero-extended, f32 in the low 4 bytes.
 *  host:   Wasm convention (vmctx of a VmHostFunc, args...): stores the arguments to a stack array, calls
 *          host_dispatch(vmctx, values) under the C convention through the pointer at offset 8 of the VmHostFunc, loads results. */
void wasm_make_entry_adapter(ClifBuilder *b, ClifFunc *out, const WasmModule *m, uint32_t type,
                             const WasmTunables *tn);
void wasm_make_host_adapter(ClifBuilder *b, ClifFunc *out, const WasmModule *m, uint32_t type,
                            const WasmTunables *tn);
#endif

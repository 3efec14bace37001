/* image/vmctx.h — the contract between translated code and the runtime: what lies behind the context pointer.
 *
 * Every Wasm function takes its instance's VMContext as a parameter with purpose `vmctx`; under the `fast`
 * convention the ABI keeps it in one callee-saved register (x64: r15), so direct calls inside a module pass it
 * for free. Offsets of the variable part depend on the module: VmLayout, computed once by vm_layout().
 *
 *   0   u64  magic 'cotvmctx'
 *   8   VmLimits *limits          per store: stack limit, interrupts, last caller
 *   16  void *instance            the runtime's instance
 *   24  const void *const *builtins   table of host functions in builtins.def order, C convention
 *   32  sig ids        u32 × types     engine-wide id of each type index (call_indirect compares these)
 *       memories       VmMemoryRef × memories (imported first)
 *       tables         VmTable * × tables
 *       import funcs   VmImport × imported functions
 *       globals        16 bytes each: defined: the value; imported: a pointer to the value's 16 bytes
 *       funcrefs       VmFuncRef × functions that may be referenced (escaped), in order of function index
 * All 8- or 16-byte aligned as needed.
 */
#ifndef COT_IMAGE_VMCTX_H
#define COT_IMAGE_VMCTX_H
#include <stdint.h>

#define VM_MAGIC UINT64_C(0x7874636d76746f63)
enum {
    VM_OFF_MAGIC = 0,
    VM_OFF_LIMITS = 8,
    VM_OFF_INSTANCE = 16,
    VM_OFF_BUILTINS = 24,
    VM_OFF_FIRST = 32
};

typedef struct VmLimits {
    uint64_t
        stack_limit; /* rsp below this = stack overflow; UINT64_MAX forces a trap at the next function entry */
    uint64_t
        interrupt; /* non-zero: loops and entries compiled with interrupt checks call builtin interrupt */
    void *
        caller; /* VMContext that made the last call to an imported function or to a host function */
    void *store; /* the runtime's */
} VmLimits;
enum { VM_LIMITS_STACK = 0, VM_LIMITS_INTERRUPT = 8, VM_LIMITS_CALLER = 16 };

typedef struct VmMemory { /* one per memory, in the store; shared by all importers */
    uint8_t *base;
    uint64_t bytes; /* current length in bytes */
} VmMemory;
typedef struct VmMemoryRef {
    VmMemory *def;
    uint8_t *
        base; /* copy, valid for ever when the memory's address never changes (reserved), else unused */
} VmMemoryRef;
typedef struct VmTable {
    void **elems; /* funcref: VmFuncRef * or NULL; externref: host value or NULL */
    uint64_t length;
} VmTable;
typedef struct VmFuncRef {
    const void *code; /* `fast` convention, vmctx first */
    void *vmctx;
    uint32_t sig_id, func_index;
    void *host; /* the runtime's */
} VmFuncRef;
typedef struct VmImport {
    const void *code;
    void *vmctx;
} VmImport;
enum {
    VM_FUNCREF_CODE = 0,
    VM_FUNCREF_VMCTX = 8,
    VM_FUNCREF_SIG = 16,
    VM_MEMORY_BASE = 0,
    VM_MEMORY_BYTES = 8,
    VM_TABLE_ELEMS = 0,
    VM_TABLE_LENGTH = 8,
    VM_MEMREF_DEF = 0,
    VM_MEMREF_BASE = 8,
    VM_IMPORT_CODE = 0,
    VM_IMPORT_VMCTX = 8
};

typedef struct VmLayout {
    uint32_t sig_ids, memories, tables, imports, globals, funcrefs, size;
} VmLayout;
typedef struct VmCounts { /* imported ones included; imports: functions */
    uint32_t types, memories, tables, imports, globals, funcrefs;
} VmCounts;
VmLayout vm_layout(const VmCounts *n);

/* A host function as translated code sees it: what a host adapter gets as its context. */
typedef struct VmHostFunc {
    uint64_t magic;
    void (*dispatch)(void *host_func, void *values);
    void *user;
    void *limits;
} VmHostFunc;

/* Builtins: index into the table at VM_OFF_BUILTINS. Rows: VM_BUILTIN(NAME, name, "params", "result", can_trap);
 * i = i32, I = i64 (pointers too); the first parameter is always the VMContext. */
typedef enum VmBuiltin {
#define VM_BUILTIN(NAME, ...) VM_BUILTIN_##NAME,
#include "image/builtins.def"
#undef VM_BUILTIN
    VM_BUILTIN_COUNT
} VmBuiltin;

/* Trap codes. Those from 251 on are the reserved codes of clif.h under the runtime's names. */
typedef uint8_t VmTrap;
enum {
    VM_TRAP_NONE = 0,
    VM_TRAP_UNREACHABLE = 1,
    VM_TRAP_TABLE_OUT_OF_BOUNDS = 2,
    VM_TRAP_INDIRECT_CALL_TO_NULL = 3,
    VM_TRAP_BAD_SIGNATURE = 4,
    VM_TRAP_INTERRUPT = 5,
    VM_TRAP_NULL_REFERENCE = 6,
    VM_TRAP_UNALIGNED_ATOMIC = 7,
    VM_TRAP_OUT_OF_FUEL = 8,
    VM_TRAP_HOST = 9,
    VM_TRAP_UNDEFINED_ELEMENT = 10, /* call_indirect beyond the table */
    VM_TRAP_BAD_CONVERSION = 251,
    VM_TRAP_DIVISION_BY_ZERO = 252,
    VM_TRAP_INTEGER_OVERFLOW = 253,
    VM_TRAP_MEMORY_OUT_OF_BOUNDS = 254,
    VM_TRAP_STACK_OVERFLOW = 255
};
#endif

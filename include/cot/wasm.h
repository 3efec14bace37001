/* cot/wasm.h — WebAssembly modules: compile, link, call, be called, trap. Read the rules at the top of cot/cot.h first.
 *
 *   CotModule    compiled code; shared by stores and threads
 *   CotStore     owns instances, functions, memories, tables and globals: pointers to these live as long as their store
 *   CotLinker    names for what modules import
 *   CotInstance  a module with its memories and globals */
#ifndef COT_WASM_H
#define COT_WASM_H
#include "cot/cot.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct CotModule CotModule;
typedef struct CotStore CotStore;
typedef struct CotLinker CotLinker;
typedef struct CotInstance CotInstance;
typedef struct CotFunc CotFunc;
typedef struct CotMemory CotMemory;
typedef struct CotTable CotTable;
typedef struct CotGlobal CotGlobal;
typedef struct CotTrap CotTrap;
typedef struct CotCaller CotCaller;

/* ---- types and values ---- */
typedef uint8_t CotType; /* the codes of the binary format */
enum {
    COT_I32 = 0x7F,
    COT_I64 = 0x7E,
    COT_F32 = 0x7D,
    COT_F64 = 0x7C,
    COT_V128 = 0x7B,
    COT_FUNCREF = 0x70,
    COT_EXTERNREF = 0x6F
};

typedef struct CotValue {
    CotType type;
    union {
        int32_t i32;
        int64_t i64;
        float f32;
        double f64;
        uint8_t v128[16]; /* lane 0 first, each lane little-endian */
        CotFunc *func;    /* NULL = null reference; of the same store */
        void *ext;        /* never looked at; NULL = null reference */
    } of;
} CotValue;

typedef struct CotFuncType {
    const CotType *params, *results;
    size_t nparams, nresults;
} CotFuncType;

typedef enum CotKind {
    COT_KIND_FUNC = 0,
    COT_KIND_TABLE = 1,
    COT_KIND_MEMORY = 2,
    COT_KIND_GLOBAL = 3
} CotKind;

#define COT_NO_MAXIMUM UINT64_MAX

typedef struct CotExternType {
    CotKind kind;
    CotFuncType func;  /* COT_KIND_FUNC */
    uint64_t min, max; /* tables: elements, memories: pages; max may be COT_NO_MAXIMUM */
    CotType value;     /* tables: of the elements; globals: of the value */
    bool is_mutable;   /* globals */
} CotExternType;

/* What can be imported and exported. The pointer is borrowed from the store. */
typedef struct CotExtern {
    CotKind kind;
    union {
        CotFunc *func;
        CotTable *table;
        CotMemory *memory;
        CotGlobal *global;
    } of;
} CotExtern;

/* Names in modules may contain NUL; a length tells where they end. Borrowed from the module. */
typedef struct CotName {
    const char *data;
    size_t size;
} CotName;

/* ---- modules ---- */
/* Decodes, validates and compiles a binary module. The bytes are copied. */
COT_API CotModule *cot_module_new(CotEngine *engine, const void *bytes, size_t size,
                                  CotError *error);
/* How one module is compiled, where that differs from its engine. */
typedef struct CotModuleOptions {
    CotRegalloc regalloc;
    /* Asked for each function, whose index counts imports, from several threads at once. NULL, or COT_REGALLOC_DEFAULT: as the
     * module. */
    CotRegalloc (*regalloc_of)(void *user, uint32_t function);
    void *user;
} CotModuleOptions;
/* options NULL: none. */
COT_API CotModule *cot_module_new_with_options(CotEngine *engine, const void *bytes, size_t size,
                                               const CotModuleOptions *options, CotError *error);
/* The code goes with the last store that uses it. */
COT_API void cot_module_free(CotModule *module);
/* Is it a module that cot_module_new would compile? COT_OK or why not. */
COT_API CotStatus cot_module_validate(CotEngine *engine, const void *bytes, size_t size,
                                      CotError *error);
/* Machine code, in bytes. */
COT_API size_t cot_module_code_size(const CotModule *module);
/* What the i-th import wants, the i-th export is; COT_MISUSE if there are not so many. type may be NULL. */
COT_API size_t cot_module_import_count(const CotModule *module);
COT_API CotStatus cot_module_import(const CotModule *module, size_t i, CotName *from, CotName *name,
                                    CotExternType *type);
COT_API size_t cot_module_export_count(const CotModule *module);
COT_API CotStatus cot_module_export(const CotModule *module, size_t i, CotName *name,
                                    CotExternType *type);

/* ---- precompiled modules ----
 * A compiled module as bytes: position-independent machine code with tables, for the same kind of system, processor features and
 * settings (memory and trap style, interruption). Loading verifies that the bytes are whole and fit, in less than a
 * millisecond per megabyte, but it cannot know that the code is harmless: load only what you would execute. The form has a
 * version of its own, so that a new version of the library can load what an older one has made as long as that stays the same; otherwise
 * COT_UNSUPPORTED says that the module is to be compiled again. */
/* Bytes that cot_module_serialize writes, and `cot compile --emit cwasm` to a file. 0: the module is linked into this program and
 * cannot be taken out of it. */
COT_API size_t cot_module_serialized_size(const CotModule *module);
COT_API void cot_module_serialize(const CotModule *module, void *bytes);
/* The bytes are copied. COT_MALFORMED: cut or damaged. */
COT_API CotModule *cot_module_deserialize(CotEngine *engine, const void *bytes, size_t size,
                                          CotError *error);
/* The file is mapped: as long as the module lives it may be replaced or removed, but not written to. COT_IO: it cannot be read. */
COT_API CotModule *cot_module_deserialize_file(CotEngine *engine, const char *path,
                                               CotError *error);

/* ---- modules in objects and libraries ----
 * An object file or shared library that `cot compile` made of x.wasm defines x_module, a CotLinkedModule; `cot compile x.wasm -o x.h`
 * writes a header that declares it, with a C function for each export. Any number of engines may use it. Its members are for the
 * library. */
#define COT_OBJECT_ABI 1
typedef struct CotLinkedModule {
    uint32_t abi; /* COT_OBJECT_ABI of the compiler */
    uint32_t reserved;
    const void *tables, *code;
    void *slots;
    void (*needs)(void); /* cot_object_abi_1, or NULL in a shared library */
} CotLinkedModule;
/* COT_UNSUPPORTED: it was compiled for another version, other processor features or other settings. */
COT_API CotModule *cot_module_linked(CotEngine *engine, const CotLinkedModule *linked,
                                     CotError *error);
/* Runs a program of WASI, as `cot run` does and a program of `cot compile`: calls its export _start with these arguments and
 * the process's standard streams. The environment variables COT_DIRS and COT_ENV say which directories and variables it may use:
 *     COT_DIRS=HOST[::GUEST],ro:HOST[::GUEST],...    COT_ENV=NAME,...  or *
 * The result is for main to return: what the program gave, 134 after a trap, 1 if it cannot start; messages are on standard error. */
COT_API int cot_main(const CotLinkedModule *linked, int argc, char **argv);
/* Does nothing. Objects refer to it, so that linking with a library of another interface fails and says which is missing. */
COT_API void cot_object_abi_1(void);

/* ---- stores ---- */
COT_API CotStore *cot_store_new(CotEngine *engine, CotError *error);
/* Everything in it dies. Not while one of its calls is running. */
COT_API void cot_store_free(CotStore *store);
/* From any thread, or a signal handler: the running call, or else the next one, traps (COT_TRAP_INTERRUPT) at its next poll.
 * One trap uses the request up. A host function that blocks is not interrupted: Wasm traps after its return. No effect
 * in engines that are not interruptible. */
COT_API void cot_store_interrupt(CotStore *store);
/* Takes back a request that has not caused a trap. */
COT_API void cot_store_clear_interrupt(CotStore *store);

/* ---- linking ---- */
/* For instances of one store; to be freed before it. */
COT_API CotLinker *cot_linker_new(CotStore *store, CotError *error);
COT_API void cot_linker_free(CotLinker *linker);
/* From now on the import `from`.`name` is `what`; a later definition replaces an earlier one. Names are copied. */
COT_API CotStatus cot_linker_define(CotLinker *linker, const char *from, const char *name,
                                    CotExtern what, CotError *error);
/* From now on all imports from `from` that are not defined singly are the exports of `instance`. */
COT_API CotStatus cot_linker_define_instance(CotLinker *linker, const char *from,
                                             CotInstance *instance, CotError *error);
/* Makes an instance: links the imports, fills memories and tables, runs the start function. NULL: why is in *error, and a
 * trap or an exit of the start function also in the store. The instance lives as long as the store. */
COT_API CotInstance *cot_linker_instantiate(CotLinker *linker, const CotModule *module,
                                            CotError *error);

/* ---- instances ---- */
/* COT_LINK: nothing of that name is exported. */
COT_API CotStatus cot_instance_export(CotInstance *instance, const char *name, CotExtern *what,
                                      CotError *error);
/* By its number, as in cot_module_export. */
COT_API CotStatus cot_instance_export_at(CotInstance *instance, size_t i, CotExtern *what,
                                         CotError *error);
/* NULL: no function of that name is exported; likewise. */
COT_API CotFunc *cot_instance_func(CotInstance *instance, const char *name);
COT_API CotMemory *cot_instance_memory(CotInstance *instance, const char *name);

/* ---- functions ---- */
/* Borrowed from the store. */
COT_API CotFuncType cot_func_type(const CotFunc *func);
/* Calls with nargs arguments and writes nresults results; both must be what the function's type says. May be called
 * inside of a host function; the stack limit is then that of the outermost call. On COT_TRAP and COT_EXIT no result is
 * written. */
COT_API CotStatus cot_func_call(CotFunc *func, const CotValue *args, size_t nargs,
                                CotValue *results, size_t nresults, CotError *error);

/* A host function. args: as many as the type has parameters; results: one per result, type set, value zero, to be filled
 * in. It returns COT_OK, or how the Wasm code that called it is to end: what cot_caller_trap or cot_caller_exit returned;
 * or COT_TRAP or COT_EXIT from a cot_func_call of the same store that has just failed in it, whose trap then goes on; any
 * other status becomes a trap. It must return: no longjmp; a C++ exception only through modules that the unwinder knows
 * (COT_PUBLISH_UNWIND, or of objects and libraries), where it ends the call like a trap. */
typedef CotStatus (*CotHostFn)(void *user, CotCaller *caller, const CotValue *args,
                               CotValue *results);
/* type is copied. At most 1,000 parameters and 1,000 results. */
COT_API CotFunc *cot_func_new(CotStore *store, CotFuncType type, CotHostFn function, void *user,
                              CotError *error);
/* For host functions: the store and the instance that called (NULL: C did), and its first memory (NULL: it has none). */
COT_API CotStore *cot_caller_store(const CotCaller *caller);
COT_API CotInstance *cot_caller_instance(const CotCaller *caller);
COT_API CotMemory *cot_caller_memory(const CotCaller *caller);
/* To be returned by the host function: a trap COT_TRAP_HOST with a message of up to 127 bytes; the end of the program. */
COT_API CotStatus cot_caller_trap(CotCaller *caller, const char *message);
COT_API CotStatus cot_caller_exit(CotCaller *caller, int code);

/* ---- memories ---- */
/* max: COT_NO_MAXIMUM or at least min, in pages. */
COT_API CotMemory *cot_memory_new(CotStore *store, uint64_t min, uint64_t max, CotError *error);
/* First byte (NULL if the size is 0) and size in bytes. Both hold until the memory grows, which any Wasm code may cause. */
COT_API uint8_t *cot_memory_data(const CotMemory *memory);
COT_API uint64_t cot_memory_size(const CotMemory *memory);
COT_API uint64_t cot_memory_pages(const CotMemory *memory);
/* *old: pages before; may be NULL. COT_LIMIT: no further growth; nothing has changed. */
COT_API CotStatus cot_memory_grow(CotMemory *memory, uint64_t pages, uint64_t *old,
                                  CotError *error);
/* Copies n bytes at address `at`; COT_MISUSE, and nothing is copied, if they are not all inside. */
COT_API CotStatus cot_memory_read(const CotMemory *memory, uint64_t at, void *to, size_t n,
                                  CotError *error);
COT_API CotStatus cot_memory_write(CotMemory *memory, uint64_t at, const void *from, size_t n,
                                   CotError *error);

/* ---- tables ---- */
/* Filled with null references; element: COT_FUNCREF or COT_EXTERNREF. At most 10,000,000 elements. */
COT_API CotTable *cot_table_new(CotStore *store, CotType element, uint64_t min, uint64_t max,
                                CotError *error);
COT_API uint64_t cot_table_size(const CotTable *table);
COT_API CotStatus cot_table_get(const CotTable *table, uint64_t i, CotValue *value,
                                CotError *error);
COT_API CotStatus cot_table_set(CotTable *table, uint64_t i, CotValue value, CotError *error);
COT_API CotStatus cot_table_grow(CotTable *table, uint64_t elements, CotValue value, uint64_t *old,
                                 CotError *error);

/* ---- globals ---- */
COT_API CotGlobal *cot_global_new(CotStore *store, CotValue value, bool is_mutable,
                                  CotError *error);
COT_API CotValue cot_global_get(const CotGlobal *global);
/* COT_MISUSE: another type, or not mutable. */
COT_API CotStatus cot_global_set(CotGlobal *global, CotValue value, CotError *error);
COT_API bool cot_global_is_mutable(const CotGlobal *global);

/* ---- traps ---- */
typedef enum CotTrapCode {
    COT_TRAP_UNREACHABLE = 1,
    COT_TRAP_TABLE_OUT_OF_BOUNDS = 2,
    COT_TRAP_NULL_ELEMENT = 3,  /* call_indirect of an empty table element */
    COT_TRAP_BAD_SIGNATURE = 4, /* call_indirect of a function of another type */
    COT_TRAP_INTERRUPT = 5,
    COT_TRAP_HOST = 9,               /* a host function asked for it */
    COT_TRAP_UNDEFINED_ELEMENT = 10, /* call_indirect beyond the table */
    COT_TRAP_BAD_CONVERSION = 251,
    COT_TRAP_DIVISION_BY_ZERO = 252,
    COT_TRAP_INTEGER_OVERFLOW = 253,
    COT_TRAP_MEMORY_OUT_OF_BOUNDS = 254,
    COT_TRAP_STACK_OVERFLOW = 255
} CotTrapCode;

typedef struct CotFrame {
    const CotModule *module;
    uint32_t function; /* index, imported functions included */
    uint32_t offset;   /* of the operator in the module; UINT32_MAX: not known */
    CotName name;      /* from the name section; data NULL: none */
} CotFrame;

/* The trap of the last call or instantiation that returned COT_TRAP; NULL if it ended otherwise. Valid until the next. */
COT_API const CotTrap *cot_store_trap(const CotStore *store);
/* The code given with the last COT_EXIT, else 0. */
COT_API int cot_store_exit_code(const CotStore *store);
COT_API CotTrapCode cot_trap_code(const CotTrap *trap);
/* What the specification's tests call it, or the host function's message. Lives as long as the trap. */
COT_API const char *cot_trap_message(const CotTrap *trap);
/* Wasm frames, innermost first, at most 64; those of calls that a host function made are followed by those of the call
 * that called the host function. */
COT_API size_t cot_trap_frame_count(const CotTrap *trap);
COT_API bool cot_trap_has_more_frames(const CotTrap *trap);
COT_API CotStatus cot_trap_frame(const CotTrap *trap, size_t i, CotFrame *frame);
/* Writes one line per frame, as snprintf would: at most size - 1 bytes and a NUL; the result is the length of it all.
 *     "  N: NAME (function INDEX, offset 0xOFFSET)\n"
 * and below it file, line and column of the source, if the module has debugging information.
 * See docs/embedding.md for the details of the form. 0 if memory is out. */
COT_API size_t cot_trap_print(const CotTrap *trap, char *text, size_t size);

#ifdef __cplusplus
}
#endif
#endif

/* cot/cot.h — Cot's C interface: version, errors, configuration, engine. cot/wasm.h has modules and their execution, cot/wasi.h
 * the system interface for programs.
 *
 * Rules that hold for all functions of include/cot:
 *   - A function that can fail returns a CotStatus, or a pointer that is NULL on failure, and describes the failure in
 *     *error. `error` may be NULL. On success *error is not touched.
 *   - Nothing exits, aborts, prints, reads the environment or the locale. Memory that runs out is COT_NO_MEMORY.
 *   - What a function named cot_X_new made is given back by cot_X_free, which accepts NULL. All other pointers that
 *     functions return are borrowed; each function says how long they live.
 *   - Strings are UTF-8 and NUL-terminated where no length is given. Sizes and offsets are in bytes, page counts in
 *     pages of 65,536 bytes.
 *   - An engine and its modules may be used by any number of threads at once. A store, with everything in it, by one
 *     thread at a time (any, one after the other); the exception is cot_store_interrupt.
 *   - The numbers of enumerators do not change between versions, and new ones may be added. */
#ifndef COT_COT_H
#define COT_COT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define COT_API __attribute__((visibility("default")))
#else
#define COT_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define COT_VERSION_MAJOR 0
#define COT_VERSION_MINOR 1
#define COT_VERSION_PATCH 0

/* Of the library at run time: "MAJOR.MINOR.PATCH", and MAJOR * 10000 + MINOR * 100 + PATCH. */
COT_API const char *cot_version(void);
COT_API uint32_t cot_version_number(void);

/* ---- errors ---- */
typedef enum CotStatus {
    COT_OK = 0,
    COT_MALFORMED = 1, /* the module cannot be decoded */
    COT_INVALID = 2,   /* it decodes, but breaks a validation rule */
    COT_UNSUPPORTED =
        3, /* it needs a proposal that is not there, or the machine lacks something; the message names it */
    COT_LIMIT = 4,     /* a documented or configured limit */
    COT_LINK = 5,      /* an import is missing or of the wrong type */
    COT_IO = 6,        /* the system refused a file or directory */
    COT_NO_MEMORY = 7, /* of the allocator, of address space, or for code */
    COT_MISUSE =
        8, /* arguments do not fit: wrong number or type of values, an entity of another store, a bad index */
    COT_TRAP = 9, /* Wasm trapped: see cot_store_trap */
    COT_EXIT = 10 /* the program ended itself: see cot_store_exit_code */
} CotStatus;

#define COT_NO_OFFSET UINT64_MAX
#define COT_NO_FUNCTION UINT32_MAX

typedef struct CotError {
    CotStatus status;
    uint32_t function; /* index of the Wasm function it is about, or COT_NO_FUNCTION */
    uint64_t offset;   /* in the module, or COT_NO_OFFSET */
    char message[512]; /* one line, cut with "..." if longer */
} CotError;

/* "ok", "malformed module", ...; static. "unknown status" for other numbers. */
COT_API const char *cot_status_name(CotStatus status);

/* ---- configuration ---- */
typedef struct CotConfig CotConfig;

/* All defaults. NULL = out of memory. */
COT_API CotConfig *cot_config_new(void);
COT_API void cot_config_free(CotConfig *config);

/* All memory of the engine and what is made from it (code, linear memories, thread stacks excepted) comes from `function`:
 * old NULL: allocate; new_size 0: free, and the result is ignored; else resize. NULL = out of memory. Blocks are
 * aligned for any type. It is called from several threads at once. Default: the C library. */
typedef void *(*CotReallocFn)(void *user, void *old, size_t old_size, size_t new_size);
COT_API void cot_config_set_allocator(CotConfig *config, CotReallocFn function, void *user);

/* Default true: hardware faults in Wasm code become traps; the first such engine installs handlers for SIGSEGV, SIGBUS,
 * SIGILL and SIGFPE, which hand every other fault to the handlers that were there before. With false no handler is
 * installed, and every trap is an explicit check in the code. */
COT_API void cot_config_set_signals(CotConfig *config, bool on);
/* Default true: a memory reserves 8 GiB of address space and needs no bounds checks. With false, with signals off, or if
 * the address space cannot be had when the engine is made, bounds are checked and a memory takes just its size. */
COT_API void cot_config_set_guard_pages(CotConfig *config, bool on);
/* Default false: compile polls at function entries and loops, so that cot_store_interrupt works. */
COT_API void cot_config_set_interruptible(CotConfig *config, bool on);
/* Threads that compile one module; 0, the default: one per processor. */
COT_API void cot_config_set_compile_threads(CotConfig *config, uint32_t threads);
/* Most bytes that one linear memory may have, rounded down to pages; 0, the default: what its type allows (4 GiB). A
 * memory that starts above it cannot be made; memory.grow above it gives -1. */
COT_API void cot_config_set_max_memory(CotConfig *config, uint64_t bytes);
/* Bytes of stack for one outermost call into a store; 0, the default: 1 MiB. Going beyond is a trap. Below that, 128 KiB are
 * kept free for host functions, so the stack of a thread that calls Wasm should have that much more; if it is smaller,
 * Wasm gets less. On a stack that is not the thread's own (a coroutine's) both must be there. */
COT_API void cot_config_set_max_stack(CotConfig *config, uint64_t bytes);
/* "baseline" or "host" (the default), then +name or -name, separated by commas, e.g. "baseline,+has_sse41". COT_MISUSE: no
 * such feature; COT_UNSUPPORTED: this processor lacks it. */
COT_API CotStatus cot_config_set_cpu_features(CotConfig *config, const char *list, CotError *error);
/* Modules that this engine compiles are kept in the folder dir, which is made if it is not there and must not be writable for
 * others; a module that is there already is loaded instead of compiled. Any number of processes may use it at once. most:
 * bytes of all files together, beyond which the least recently used go; 0: 1 GiB. COT_IO: the folder cannot be used. */
COT_API CotStatus cot_config_set_cache(CotConfig *config, const char *dir, uint64_t most,
                                       CotError *error);
/* Default true: modules keep the debugging information (DWARF) they came with, so that cot_trap_print can tell file and line of
 * the source. It is read for that only. */
COT_API void cot_config_set_source_positions(CotConfig *config, bool on);
/* Others who can be told of machine code in memory. */
enum {
    COT_PUBLISH_UNWIND =
        1, /* the process's unwinder: exceptions and backtraces pass compiled functions */
    COT_PUBLISH_PERF_MAP = 2, /* /tmp/perf-PID.map: perf report names the functions */
    COT_PUBLISH_JITDUMP =
        4, /* jit-PID.dump in the working folder, with the code, for perf inject --jit */
    COT_PUBLISH_GDB = 8 /* gdb: backtraces and breakpoints by name */
};
/* Who is told of the modules that the engine compiles, added up; what is freed is withdrawn. Default: nobody. For the unwinder and
 * gdb modules are compiled even if the cache has them; of modules that are loaded precompiled only perf's map is told. A C++
 * exception that a host function throws goes through the frames of a module that the unwinder knows, to whoever called
 * into it. cot_engine_new then fails with COT_UNSUPPORTED if the process has no unwinder that can be told (libgcc_s or
 * libunwind), with COT_IO if perf's file cannot be written. */
COT_API void cot_config_set_publish(CotConfig *config, uint32_t what);
/* Default false: check the intermediate code and the register allocation of every function. For tests of the compiler. */
COT_API void cot_config_set_verify(CotConfig *config, bool on);

/* Which register allocator: good code, or a short compilation. */
typedef enum CotRegalloc {
    COT_REGALLOC_DEFAULT = 0, /* as the module, engine or setting says that the choice belongs to */
    COT_REGALLOC_ION = 1, /* backtracking; a function too large for it is left to the other one */
    COT_REGALLOC_FAST = 2 /* one pass */
} CotRegalloc;

/* ---- engine ---- */
typedef struct CotEngine CotEngine;

/* How code is compiled; made once, shared by all threads. config is copied; NULL: all defaults. */
COT_API CotEngine *cot_engine_new(const CotConfig *config, CotError *error);
/* The engine goes when its last module and store are gone, too. */
COT_API void cot_engine_free(CotEngine *engine);
/* Do memories have guard pages (true), or are bounds checked in code? */
COT_API bool cot_engine_has_guard_pages(const CotEngine *engine);

#ifdef __cplusplus
}
#endif
#endif

/* runtime/wasi.h — WASI preview 1 on a Linux host: the interface of src/runtime/wasi*.c.
 *
 * A WasiCtx is what one guest program sees of the world: arguments, environment, a table of file
 * descriptors, clocks, random numbers, an exit state. It knows nothing of modules or instances: a
 * caller looks a function up by import name, calls it with the guest's memory and the arguments, and
 * gets the guest's error number back.
 *
 *     WasiConfig cfg = wasi_config_default();        stdio of the host process, nothing else
 *     cfg.argv = ...; cfg.preopens = ...;
 *     WasiCtx *w = wasi_new(&cfg, &diag);            NULL = see diag
 *     const WasiFunc *f = wasi_lookup("wasi_snapshot_preview1", "fd_write");
 *     uint32_t r = f->call(w, &mem, args);           r == WASI_CALL_EXIT: unwind the guest
 *     int code = wasi_exit_code(w, &exited);
 *     wasi_free(w);
 *
 * Threads: no globals; a context is used by one thread at a time, different contexts are independent.
 * Guest memory may change under a call (shared memory): every guest value is read once and checked
 * after reading, so the worst a racing guest gets is its own garbage. It must not shrink or move
 * during a call.
 * No host signal disposition is changed. SIGPIPE is held off around writes to pipes, and SIGXFSZ around what makes
 * files grow if the process had a limit on their size when the context was made.
 */
#ifndef COT_RUNTIME_WASI_H
#define COT_RUNTIME_WASI_H
#include "base/diag.h"
#include "base/mem.h"

typedef struct WasiCtx WasiCtx;

/* Guest memory for the time of one call. Guest addresses are 32 bits wide. */
typedef struct WasiMem {
    uint8_t *base;
    uint64_t size; /* bytes */
} WasiMem;

/* Returned by `call` when the guest has ended (proc_exit, or proc_raise of a deadly signal). */
#define WASI_CALL_EXIT UINT32_C(0xffffffff)

typedef struct WasiFunc {
    const char *name;
    const char *params;  /* i = i32, I = i64 */
    const char *results; /* "i" (the error number) or "" */
    /* args: one per parameter; upper halves of i32 arguments are ignored. */
    uint32_t (*call)(WasiCtx *, WasiMem *, const uint64_t *args);
} WasiFunc;

/* module: "wasi_snapshot_preview1" or "wasi_unstable"; NULL if there is no such function. */
const WasiFunc *wasi_lookup(const char *module, const char *name);
/* True if wasi_lookup can ever succeed for this module name. */
bool wasi_is_module(const char *module);
/* Name of an error number as the specification spells it ("NOENT"), or NULL. */
const char *wasi_errno_name(uint32_t number);

typedef enum WasiStdioKind {
    WASI_STDIO_FD, /* a descriptor of the host; stays the caller's, is never closed or changed */
    WASI_STDIO_CLOSED, /* not open in the guest */
    WASI_STDIO_BYTES,  /* input only: reads `bytes`, then end of file */
    WASI_STDIO_SINK,   /* output only: every write is handed to `sink` */
} WasiStdioKind;

typedef struct WasiStdio {
    WasiStdioKind kind;
    int fd;
    const uint8_t *bytes; /* borrowed for the life of the context */
    uint64_t bytes_len;
    bool (*sink)(void *user, const uint8_t *data, size_t len); /* false = the guest sees EIO */
    void *user;
} WasiStdio;

typedef struct WasiPreopen {
    const char *host;  /* a directory */
    const char *guest; /* the name the guest sees, e.g. "/" or "data" */
    bool read_only;    /* every change below it fails with EROFS */
    /* Rights of the descriptor; 0 means all that apply to a directory / to what is below it. */
    uint64_t rights_base, rights_inheriting;
} WasiPreopen;

/* Where time comes from; with `time` NULL the host's clocks are used. */
typedef struct WasiClock {
    bool (*time)(void *user, uint32_t id,
                 uint64_t *ns); /* id: 0 real, 1 monotonic, 2 process, 3 thread */
    bool (*resolution)(void *user, uint32_t id, uint64_t *ns);
    void (*wait)(void *user, uint64_t ns); /* poll_oneoff with clock subscriptions only */
    void *user;
} WasiClock;

typedef struct WasiConfig {
    const MemHooks *hooks; /* NULL = libc */
    const char *const *argv;
    uint32_t argc;
    const char *const *env; /* "NAME=value" */
    uint32_t nenv;
    const WasiPreopen *preopens; /* descriptors 3, 4, ... in this order */
    uint32_t npreopens;
    const int *
        sockets; /* host sockets (connected or listening), descriptors after the preopens; borrowed */
    uint32_t nsockets;
    WasiStdio stdio[3];
    WasiClock clock;
    bool (*random)(void *user, uint8_t *out, size_t len); /* NULL = the host's getrandom */
    void *random_user;
    /* Asked when a blocking host call was cut short by a signal: true = give the guest EINTR, so that
     * it comes back to code that can be interrupted; NULL or false = go on waiting. */
    bool (*interrupted)(void *user);
    void *interrupted_user;
    uint32_t max_fds; /* of the guest, 0 = 65536 */
    bool no_openat2;  /* resolve paths component by component even if the kernel could do it */
} WasiConfig;

WasiConfig wasi_config_default(void);
/* Copies argv, env and names. NULL on error: a directory that cannot be opened, out of memory. */
WasiCtx *wasi_new(const WasiConfig *cfg, Diag *diag);
void wasi_free(WasiCtx *ctx); /* closes what the guest left open; NULL is fine */

/* The guest's exit code. *exited tells whether the guest asked to end; if it did not, the result is 0.
 * A program ended by proc_raise(signal) has the code 128 + signal. */
int wasi_exit_code(const WasiCtx *ctx, bool *exited);
#endif

/* driver/guest.h — a WASI program as `cot run` and `cot bench` start it. */
#ifndef COT_DRIVER_GUEST_H
#define COT_DRIVER_GUEST_H
#include "driver/driver.h"
#include "runtime/wasi_link.h"

/* What the command line says of the guest's surroundings. */
typedef struct GuestOpts {
    WasiPreopen *dirs;
    const char **env;
    uint32_t ndirs, nenv;
    bool closed[3]; /* standard streams that were not open */
} GuestOpts;
/* Before any file is opened: notes which standard streams are closed and keeps their numbers taken, so that no file of
 * the program gets the number that our own messages are written to. */
void guest_hold_stdio(GuestOpts *g);
/* --dir, --env; true if the next argument was one of them. */
bool guest_option(Cli *c, GuestOpts *g);
void guest_opts_free(GuestOpts *g);
extern const char guest_help[];

/* Two clocks in nanoseconds: what passed, and what all threads of the process worked. */
typedef struct Clocks {
    uint64_t wall, cpu;
} Clocks;
Clocks clocks_now(void);
Clocks clocks_since(Clocks begin);

/* One execution: a store with its WASI context. */
typedef struct Guest {
    RtStore *store;
    WasiCtx *wasi;
    RtInstance *inst;
    const char *file;
    Clocks bench_start, bench; /* last imported bench.start; sum between start and end */
    Clocks run;                /* of the call, instantiation included */
    bool bench_seen;
} Guest;

/* How a guest ended, as an exit status of the process: its own code; 134 for a trap; 1 if it could not start. */
enum { GUEST_TRAPPED = 134 };

/* Instantiates m. argv[0] is the program's name. quiet: standard streams are not connected (input at end of file,
 * output dropped). Errors are reported on stderr; then *status is set. */
bool guest_start(Guest *g, RtEngine *e, const RtModule *m, const GuestOpts *o, const char *file,
                 int argc, const char *const *argv, bool quiet, uint64_t timeout_ms, int *status);
/* Calls _start (false: there is none, reported). */
bool guest_run(Guest *g, int *status);
/* Calls the export `name` with arguments given as text, prints the results one per line. */
bool guest_invoke(Guest *g, const char *name, int argc, char **argv, int *status);
void guest_end(Guest *g);
#endif

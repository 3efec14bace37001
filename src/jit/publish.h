/* jit/publish.h — tells others about code in memory: unwinders, and perf by its map and dump files. */
#ifndef COT_JIT_PUBLISH_H
#define COT_JIT_PUBLISH_H
#include "object/object.h"

enum {                           /* what to tell */
       JIT_PUBLISH_UNWIND = 1,   /* .eh_frame to the unwinder of the process, if it has one */
       JIT_PUBLISH_PERF_MAP = 2, /* /tmp/perf-PID.map: address, size, name of each function */
       JIT_PUBLISH_JITDUMP = 4,  /* jit-PID.dump in the working folder: the code, too */
       JIT_PUBLISH_GDB = 8       /* the debugger, by its interface for compilers */
};

/* Is there an unwinder that can be told? */
bool jit_can_unwind(void);
/* An .eh_frame section that ends with the end mark, at its final place, until it is withdrawn. */
void jit_publish_frames(const uint8_t *frames);
void jit_withdraw_frames(const uint8_t *frames);

typedef struct JitGdb JitGdb;
/* NULL: it cannot be described. */
JitGdb *jit_gdb_add(Mem *m, const ObjectMemory *what);
void jit_gdb_remove(Mem *m, JitGdb *g); /* NULL is fine */

typedef struct JitPerf JitPerf; /* the files, one per linker */
/* NULL with *d set: a file cannot be written. */
JitPerf *jit_perf_open(Mem *m, unsigned what, Diag *d);
void jit_perf_close(JitPerf *p);
void jit_perf_code(JitPerf *p, const char *name, const uint8_t *at, size_t size);
#endif

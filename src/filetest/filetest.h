/* filetest/filetest.h — runs the tests that a .clif file asks for in its header.
 *
 * `test KIND [OPTION...]` lines name the tests, `set` and `target` lines what they run with, comments what they expect.
 * Kinds are the rows of kinds.def. Before anything else, each file is read, printed, and the print read again: it must
 * print the same. What cannot be run here is skipped with a reason. */
#ifndef COT_FILETEST_FILETEST_H
#define COT_FILETEST_FILETEST_H
#include "clif/text.h"
#include "mach/mach.h"

typedef enum FtKind {
    FT_READ, /* reads, and prints to a fixed point: every file */
#define FILETEST_KIND(NAME, text, ...) FT_##NAME,
#include "filetest/kinds.def"
#undef FILETEST_KIND
    FT_UNKNOWN,
    FT_KIND_COUNT
} FtKind;
extern const char *const filetest_kind_name[FT_KIND_COUNT];
const char *
filetest_kind_skipped(FtKind k); /* why tests of this kind are skipped, "" if they run */

typedef struct FtCounts {
    uint32_t files; /* that ask for this kind */
    uint32_t passed, failed,
        skipped; /* tests; for interpreted and run functions their directives */
} FtCounts;

/* A command or test that is known to fail, with the reason: counted as skipped, and as failed if it passes. */
typedef struct FtException {
    ClifStr file;    /* last part of the path */
    ClifStr command; /* the comment without semicolons, or what follows `test` in the header */
    ClifStr reason;
} FtException;
typedef struct FtOptions {
    const FtException *exceptions;
    uint32_t nexceptions;
    bool bless;            /* rewrite expectations of precise output instead of comparing */
    const char *only;      /* run tests of this kind alone; NULL = all */
    bool shared;           /* run and compare: by a shared library that is written and loaded */
    const char *linker;    /* with shared: the command that makes it of an object; NULL: we do */
    MachRegalloc regalloc; /* of files whose headers do not set regalloc_algorithm */
    uint64_t stress;       /* run and compare: random choices in register allocation, 0 = off */
} FtOptions;

/* How many tests of a kind were skipped for the same reason. */
typedef struct FtReason {
    FtKind kind;
    uint32_t count;
    char why[200];
} FtReason;
VEC_TYPEDEF(FtReasons, FtReason);

typedef struct FtResult {
    Mem *mem;
    FtCounts counts[FT_KIND_COUNT];
    StrBuf failures; /* one line each, "FILE:LINE: error: ...", with indented explanation below */
    StrBuf skips;    /* one line each, "FILE: test KIND: reason" */
    FtReasons reasons;
    StrBuf printed; /* what print commands ask for, one line each */
    StrBuf blessed; /* the file's new text, if it changed */
    bool rewrite;
} FtResult;
void filetest_result_init(FtResult *r, Mem *m);
void filetest_result_free(FtResult *r);
/* Adds to the counts of reasons; of a compiler's message, the part before " in `" counts. */
void filetest_add_reason(Mem *m, FtReasons *r, FtKind kind, const char *why, uint32_t count);

/* Runs one file's tests; all memory is m's. The text must outlive the call only. */
void filetest_run(Mem *m, const char *file, const char *text, uint32_t n, const FtOptions *opt,
                  FtResult *out);
#endif

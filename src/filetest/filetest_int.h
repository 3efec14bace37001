/* filetest/filetest_int.h — shared by the files of this folder. */
#ifndef COT_FILETEST_FILETEST_INT_H
#define COT_FILETEST_FILETEST_INT_H
#include "filetest/filecheck.h"
#include "filetest/filetest.h"
#include "verify/verify.h"

typedef struct FtEdit {
    uint32_t func, at, len; /* new expectation of this function, in Ft.edit_text */
} FtEdit;
typedef struct Ft {
    Mem *mem;
    const char *file;
    const char *text;
    uint32_t n;
    const FtOptions *opt;
    FtResult *out;
    ClifReader *reader;
    VEC(ClifFunc *) funcs;
    VEC(ClifDetails *) details;
    VerifyCtx verify;
    ClifType ptr_type; /* of the one target of the file, INVALID without one */
    StrBuf sb, why;
    FtKind kind;               /* of the test that runs */
    bool precise, expect_fail; /* its options */
    VEC(FtEdit) edits;
    StrBuf edit_text;
} Ft;

/* A failure of the running test at a line; always false. */
bool ft_fail(Ft *t, uint32_t line, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Shows what a print command asks for: t->sb is the results. */
void ft_print(Ft *t, const ClifComment *command, const char *target);
/* A test that cannot run, counted: line 0 is the whole file, `target` may be "". */
void ft_skip(Ft *t, uint32_t line, const char *target, const char *why);
/* The entry among the exceptions for a run command, or a whole `test ...` line, of this file; NULL = none. */
const FtException *ft_exception(const Ft *t, ClifStr command);
/* Counts what an entry is about: as skipped if it failed (the messages behind `before` are taken back), else as failed. */
void ft_excuse(Ft *t, FtCounts *c, const FtException *e, uint32_t line, uint32_t before,
               bool failed);
/* Compares t->sb with what the function's comments expect, by directives or precisely. */
bool ft_check_output(Ft *t, uint32_t func);
/* "; error: text" -> text for directive "error:". */
bool ft_directive(const ClifComment *c, const char *directive, ClifStr *rest);

/* tests.c: one kind of test on one function. False: ft_fail has been called. */
bool ft_cat(Ft *t, uint32_t func);
bool ft_verifier(Ft *t, uint32_t func);
bool ft_print_cfg(Ft *t, uint32_t func);
bool ft_domtree(Ft *t, uint32_t func);
/* interpret.c: all run and print commands of the file, each a test of its own; adds to the counts. */
void ft_interpret(Ft *t, FtCounts *c);
/* interpret.c: the results of one command that calls function `func`; false with the reason in *d or in `trap`. */
bool ft_interpret_one(Ft *t, uint32_t func, const ClifRunCommand *rc, ClifConstValues *results,
                      ClifTrap *trap, Diag *d);
/* native.c: the same, compiled for this machine and each of the file's targets that it is. For `test compare` what is
 * expected is what the interpreter says, traps included; any NaN is as good as another. */
void ft_run(Ft *t, FtCounts *c);
/* compile.c: the machine code of each function, or how to unwind it, for each target. */
void ft_compile(Ft *t, FtCounts *c);
void ft_unwind(Ft *t, FtCounts *c);
#endif

/* regalloc/text.h — allocation problems as text: what `cot compile --emit regalloc` writes and `cot regalloc` reads.
 * docs/regalloc.md says how the text is written. */
#ifndef COT_REGALLOC_TEXT_H
#define COT_REGALLOC_TEXT_H
#include "regalloc/regalloc.h"

/* Input and, if out != NULL, result, in the form that is read back: printing what was read gives the same text. */
void ra_print(const RaFunc *f, const RaEnv *env, const RaOutput *out, StrBuf *sb);
void ra_print_stats(const RaStats *s, StrBuf *sb);
void ra_print_vreg(RaVReg v, StrBuf *sb);
void ra_print_alloc(RaAlloc a, StrBuf *sb);
void ra_print_operand(const RaFunc *f, uint32_t op, StrBuf *sb);
void ra_print_flags(uint8_t inst_flags, StrBuf *sb);

/* Where each value lies: ra_check_spans has found it. Sorts the spans. */
void ra_print_spans(Mem *m, const RaFunc *f, RaSpans *spans, StrBuf *sb);
/* The same as a drawing: one HTML file. False: the function is too large. */
bool ra_picture(Mem *m, const RaFunc *f, const RaEnv *env, const RaOutput *out,
                const RaSpans *spans, const char *title, StrBuf *sb, Diag *d);

typedef struct RaTextPos {
    uint32_t line, col;
} RaTextPos;
/* One function that was read; f, env and out refer to its arrays, which serve the next one again. */
typedef struct RaProblem {
    Mem *mem;
    RaFunc f;
    RaEnv env;
    RaOutput out;
    bool has_result;
    RaTextPos head_pos;
    VEC(RaBlock) blocks;
    VecU32 succs, preds, edge_args, op_start, pred_count;
    VEC(RaVReg) params, args;
    VEC(RaOperand) ops;
    VecU8 flags, slots;
    VEC(RaClobber) clobbers;
    VEC(RaAlloc) allocs;
    VEC(RaEdit) edits;
    VEC(RaTextPos) inst_pos, block_pos, vreg_pos; /* of a vreg: where it is first seen */
} RaProblem;
void ra_problem_init(RaProblem *p, Mem *m);
void ra_problem_free(RaProblem *p);

typedef struct RaReader {
    const char *p;
    uint32_t n, at, line, line_start;
} RaReader;
void ra_reader_init(RaReader *r, const char *text, uint32_t n);
/* The next function. False: there is none (d is clear), or an error with its line and column. */
bool ra_read(RaReader *r, RaProblem *p, Diag *d);
/* The input check, whose message gets a position in the text. */
bool ra_problem_check(RaCtx *c, const RaProblem *p, Diag *d);
/* Gives the message of a failure the position of what ra_fault tells. Always false. */
bool ra_problem_place(const RaCtx *c, const RaProblem *p, Diag *d);
#endif

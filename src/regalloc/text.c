/* regalloc/text.c — reads the text form of allocation problems.
 *
 * Idea      One item a line: a scanner of words and punctuation, and a routine per kind of line. What a function means is not
 *           judged here but by the input check; only numbers that would ask for absurd amounts of memory are refused.
 * Cost      linear. Nothing recursive. */
#include "regalloc/ra_int.h"
#include "regalloc/text.h"

enum { MOST_VREGS = 1 << 24, MOST_SLOTS = 1 << 24 };

typedef enum TokKind { TOK_WORD, TOK_PUNCT, TOK_ARROW, TOK_LINE, TOK_END } TokKind;
typedef struct Tok {
    TokKind kind;
    char punct;
    const char *p;
    uint32_t n;
    RaTextPos pos;
} Tok;

typedef struct Parse {
    RaReader *r;
    RaProblem *p;
    Diag *d;
    Tok t;              /* the next one */
    RaTextPos edit_pos; /* of the last move */
} Parse;

/* ---- tokens ---- */
static bool word_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '*' ||
           c == '-' || c == '_';
}

static void next(Parse *s) {
    RaReader *r = s->r;
    while (r->at < r->n && (r->p[r->at] == ' ' || r->p[r->at] == '\t' || r->p[r->at] == '\r'))
        r->at++;
    if (r->at < r->n && r->p[r->at] == ';')
        while (r->at < r->n && r->p[r->at] != '\n') r->at++;
    s->t = (Tok){.kind = TOK_END, .p = r->p + r->at, .pos = {r->line, r->at - r->line_start + 1}};
    if (r->at == r->n) return;
    char c = r->p[r->at];
    uint32_t from = r->at;
    if (c == '\n') {
        s->t.kind = TOK_LINE;
        r->line++;
        r->line_start = ++r->at;
    } else if (c == '-' && r->at + 1 < r->n && r->p[r->at + 1] == '>') {
        s->t.kind = TOK_ARROW;
        r->at += 2;
    } else if (word_char(c)) {
        s->t.kind = TOK_WORD;
        while (r->at < r->n && word_char(r->p[r->at])) r->at++;
        s->t.n = r->at - from;
    } else {
        s->t.kind = TOK_PUNCT;
        s->t.punct = c;
        r->at++;
    }
}

static bool bad_at(Parse *s, RaTextPos pos, const char *what) {
    return diag_line(s->d, DIAG_MALFORMED, pos.line, pos.col, "%s", what);
}
static bool bad(Parse *s, const char *what) {
    return bad_at(s, s->t.pos, what);
}
static bool is_word(const Parse *s, const char *w) {
    return s->t.kind == TOK_WORD && s->t.n == strlen(w) && memcmp(s->t.p, w, s->t.n) == 0;
}
static bool skip_word(Parse *s, const char *w) {
    if (!is_word(s, w)) return false;
    next(s);
    return true;
}
static bool skip_punct(Parse *s, char c) {
    if (s->t.kind != TOK_PUNCT || s->t.punct != c) return false;
    next(s);
    return true;
}
static bool end_of_line(Parse *s) {
    if (s->t.kind != TOK_LINE && s->t.kind != TOK_END)
        return bad(s, "expected the end of the line");
    while (s->t.kind == TOK_LINE) next(s);
    return true;
}

/* PREFIX digits SUFFIX, the suffix one of the letters given (0 if none are); the number has no leading zero. */
static bool number_in(const char *p, uint32_t n, const char *prefix, const char *suffixes,
                      uint32_t *num, char *suffix) {
    size_t at = strlen(prefix), end = n;
    if (n <= at || memcmp(p, prefix, at) != 0) return false;
    *suffix = 0;
    if (*suffixes) {
        *suffix = p[--end];
        if (!*suffix || !strchr(suffixes, *suffix)) return false;
    }
    if (end == at || end - at > 9 || (end - at > 1 && p[at] == '0')) return false;
    for (*num = 0; at < end; at++) {
        if (p[at] < '0' || p[at] > '9') return false;
        *num = *num * 10 + (uint32_t)(p[at] - '0');
    }
    return true;
}
static bool numbered(const Parse *s, const char *prefix, const char *suffixes, uint32_t *num,
                     char *suffix) {
    return s->t.kind == TOK_WORD && number_in(s->t.p, s->t.n, prefix, suffixes, num, suffix);
}

static bool number(Parse *s, uint32_t most, const char *what, uint32_t *out) {
    char none;
    if (!numbered(s, "", "", out, &none) || *out > most) return bad(s, what);
    next(s);
    return true;
}

static RaClass class_of(char suffix) {
    return suffix == 'f' ? RA_FLOAT : RA_INT;
}

static bool preg_text(const char *p, uint32_t n, RaPReg *out) {
    uint32_t num;
    char c;
    if (!number_in(p, n, "p", "if", &num, &c) || num >= 32) return false;
    *out = (RaPReg)(class_of(c) * 32 + num);
    return true;
}
static bool is_preg(const Parse *s, RaPReg *out) {
    return s->t.kind == TOK_WORD && preg_text(s->t.p, s->t.n, out);
}
/* p3i, or p3i-p7i */
static bool is_preg_range(const Parse *s, RaPReg *first, RaPReg *last) {
    const char *dash = s->t.kind == TOK_WORD ? memchr(s->t.p, '-', s->t.n) : NULL;
    if (!dash) return is_preg(s, first) && (*last = *first, true);
    uint32_t n = (uint32_t)(dash - s->t.p);
    return preg_text(s->t.p, n, first) && preg_text(dash + 1, s->t.n - n - 1, last) &&
           *first < *last && *first / 32 == *last / 32;
}

static bool vreg(Parse *s, RaVReg *out) {
    uint32_t n;
    char c;
    RaProblem *p = s->p;
    if (!numbered(s, "v", "if", &n, &c))
        return bad(s, "expected a virtual register like v5i or v5f");
    if (n >= MOST_VREGS) return bad(s, "the number of a virtual register is too large");
    *out = ra_vreg(n, class_of(c));
    if (n >= p->slots.n) {
        uint32_t had = p->slots.n;
        vec_resize0(p->mem, &p->slots, n + 1);
        memset(p->slots.p + had, 1, n + 1 - had);
        vec_resize0(p->mem, &p->vreg_pos, n + 1);
    }
    if (!p->vreg_pos.p[n].line) p->vreg_pos.p[n] = s->t.pos;
    next(s);
    return true;
}

/* A vreg that is defined here, with its size. */
static bool vreg_def(Parse *s, RaVReg *out) {
    uint32_t w;
    if (!vreg(s, out)) return false;
    if (!skip_punct(s, ':')) return true;
    if (!number(s, 255, "expected the number of slots", &w)) return false;
    s->p->slots.p[ra_vreg_index(*out)] = (uint8_t)w;
    return true;
}

static bool place(Parse *s, RaAlloc *out) {
    uint32_t n;
    char c;
    RaPReg r;
    if (is_preg(s, &r))
        *out = ra_alloc_reg(r);
    else if (numbered(s, "stack", "", &n, &c) && n < MOST_SLOTS)
        *out = ra_alloc_slot(n);
    else if (is_word(s, "none"))
        *out = RA_ALLOC_NONE;
    else
        return bad(s, "expected a register like p3i or a slot like stack2");
    next(s);
    return true;
}

/* ---- lines of the head ---- */
static bool reg_set(Parse *s, RaPRegSet *out) {
    RaPReg r, last;
    for (*out = 0; is_preg_range(s, &r, &last); next(s))
        for (; r <= last; r++) {
            if (*out & ra_set(r)) return bad(s, "this register is named twice");
            *out |= ra_set(r);
        }
    return true;
}

static bool allocatable(Parse *s) {
    RaEnv *env = &s->p->env;
    uint32_t n[RA_NUM_CLASSES] = {0};
    RaPReg r;
    for (; is_preg(s, &r); next(s)) {
        if (env->allocatable & ra_set(r)) return bad(s, "this register is named twice");
        env->allocatable |= ra_set(r);
        env->order[r / 32][n[r / 32]++] = r;
    }
    return true;
}

static bool scratch(Parse *s) {
    RaPReg r;
    for (; is_preg(s, &r); next(s)) {
        if (s->p->env.scratch[r / 32] != RA_PREG_NONE)
            return bad(s, "a class has one scratch register");
        s->p->env.scratch[r / 32] = r;
    }
    return true;
}

static bool head(Parse *s) {
    RaProblem *p = s->p;
    memset(&p->env, 0xFF, sizeof p->env);
    p->env.allocatable = p->env.caller_saved = 0;
    if (!skip_word(s, "function")) return bad(s, "expected `function`");
    if (!end_of_line(s)) return false;
    if (!skip_word(s, "allocatable")) return bad(s, "expected `allocatable`");
    if (!allocatable(s) || !end_of_line(s)) return false;
    if (!skip_word(s, "caller-saved")) return bad(s, "expected `caller-saved`");
    if (!reg_set(s, &p->env.caller_saved) || !end_of_line(s)) return false;
    if (!skip_word(s, "scratch")) return bad(s, "expected `scratch`");
    if (!scratch(s) || !end_of_line(s)) return false;
    if (!skip_word(s, "slots")) return true;
    p->has_result = true;
    if (!number(s, MOST_SLOTS, "expected the number of slots", &p->out.num_slots)) return false;
    if (!end_of_line(s)) return false;
    if (!skip_word(s, "written")) return bad(s, "expected `written`");
    return reg_set(s, &p->out.written) && end_of_line(s);
}

/* ---- lines of a block ---- */
static bool block_head(Parse *s) {
    RaProblem *p = s->p;
    uint32_t n, i = p->flags.n, e = p->succs.n, q = p->params.n;
    char c;
    if (!numbered(s, "block", "", &n, &c) || n != p->blocks.n)
        return diag_line(s->d, DIAG_MALFORMED, s->t.pos.line, s->t.pos.col, "expected `block%u`",
                         p->blocks.n);
    vec_push(p->mem, &p->block_pos, s->t.pos);
    next(s);
    if (skip_punct(s, '(')) do {
            RaVReg v;
            if (!vreg_def(s, &v)) return false;
            vec_push(p->mem, &p->params, v);
        } while (skip_punct(s, ','));
    if (p->params.n > q && !skip_punct(s, ')')) return bad(s, "expected `,` or `)`");
    if (!skip_punct(s, ':')) return bad(s, "expected `:`");
    vec_push(p->mem, &p->blocks, (RaBlock){i, i, e, e, 0, 0, q, p->params.n});
    return end_of_line(s);
}

static bool constraint(Parse *s, RaOperand *op) {
    uint32_t n;
    RaPReg r;
    if (is_preg(s, &r)) {
        op->constraint = RA_FIXED, op->arg = r;
        next(s);
    } else if (skip_word(s, "any"))
        op->constraint = RA_ANY;
    else if (skip_word(s, "reg"))
        op->constraint = RA_REG;
    else if (skip_word(s, "stack"))
        op->constraint = RA_STACK;
    else if (is_word(s, "reuse") || is_word(s, "limit")) {
        op->constraint = is_word(s, "reuse") ? RA_REUSE : RA_LIMIT;
        next(s);
        if (!number(s, 255, "expected a number up to 255", &n)) return false;
        op->arg = (uint8_t)n;
    } else
        return bad(s, "expected any, reg, stack, reuse, limit or a register");
    return true;
}

static bool operand(Parse *s) {
    RaProblem *p = s->p;
    RaOperand op = {.kind = RA_USE};
    bool early = skip_word(s, "early"), late = !early && skip_word(s, "late");
    if (skip_word(s, "def"))
        op.kind = RA_DEF;
    else if (!skip_word(s, "use"))
        return bad(s, "expected `use` or `def`");
    op.pos = early ? RA_EARLY : late ? RA_LATE : op.kind == RA_DEF ? RA_LATE : RA_EARLY;
    RaPReg r;
    if (is_preg(s, &r)) {
        op.vreg = RA_VREG_NONE, op.constraint = RA_FIXED_NONALLOC, op.arg = r;
        next(s);
    } else {
        RaVReg v;
        if (!(op.kind == RA_DEF ? vreg_def(s, &v) : vreg(s, &v))) return false;
        op.vreg = v;
        if (!constraint(s, &op)) return false;
    }
    vec_push(p->mem, &p->ops, op);
    RaAlloc a = RA_ALLOC_NONE;
    if (s->t.kind == TOK_PUNCT && s->t.punct == '@') {
        if (!p->has_result)
            return bad(s, "a place without `slots` and `written` at the function's head");
        next(s);
        if (!place(s, &a)) return false;
    } else if (p->has_result)
        return bad(s, "expected `@` and the operand's place");
    vec_push(p->mem, &p->allocs, a);
    return true;
}

static uint8_t flag(Parse *s) {
    static const struct {
        const char *name;
        uint8_t flag;
    } t[] = {{"branch", RA_INST_BRANCH},       {"ret", RA_INST_RET},
             {"move", RA_INST_MOVE},           {"call", RA_INST_CALL},
             {"safepoint", RA_INST_SAFEPOINT}, {"entry", RA_INST_ENTRY}};
    for (uint32_t k = 0; k < sizeof t / sizeof *t; k++)
        if (skip_word(s, t[k].name)) return t[k].flag;
    return 0;
}

static bool instruction(Parse *s) {
    RaProblem *p = s->p;
    RaTextPos pos = s->t.pos;
    uint32_t n;
    char c;
    if (numbered(s, "", "", &n, &c)) { /* for the reader; it need not be right */
        next(s);
        if (!skip_punct(s, ':')) return bad(s, "expected `:`");
    }
    uint8_t flags = 0;
    if (!skip_word(s, "op")) {
        for (RaTextPos at = s->t.pos;; at = s->t.pos) {
            uint8_t f = flag(s);
            if (!f) break;
            if (flags & f) return bad_at(s, at, "this was said already");
            flags |= f;
        }
        if (!flags) return bad(s, "expected an instruction, a move, `->`, or a block");
    }
    if (s->t.kind == TOK_WORD && !is_word(s, "clobber")) do {
            if (!operand(s)) return false;
        } while (skip_punct(s, ','));
    while (skip_word(s, "clobber")) {
        RaPRegSet regs;
        if (!reg_set(s, &regs)) return false;
        vec_push(p->mem, &p->clobbers, (RaClobber){p->flags.n, regs});
    }
    vec_push(p->mem, &p->inst_pos, pos);
    vec_push(p->mem, &p->flags, flags);
    vec_push(p->mem, &p->op_start, p->ops.n);
    vec_last(&p->blocks).inst_end++;
    return end_of_line(s);
}

/* `before PLACE = PLACE VREG` and `after ...` */
static bool edit(Parse *s, bool after) {
    RaProblem *p = s->p;
    RaEdit e = {.point = 0};
    s->edit_pos = s->t.pos;
    if (!p->has_result)
        return bad(s, "a move without `slots` and `written` at the function's head");
    if (after && p->flags.n == vec_last(&p->blocks).inst_start)
        return bad(s, "no instruction stands before this move");
    e.point = after ? 2 * (p->flags.n - 1) + 1 : 2 * p->flags.n;
    next(s);
    if (!place(s, &e.to)) return false;
    if (!skip_punct(s, '=')) return bad(s, "expected `=`");
    if (!place(s, &e.from)) return false;
    if (is_word(s, "v*i") || is_word(s, "v*f")) {
        e.vreg = ra_vreg_whole(class_of(s->t.p[2]));
        next(s);
    } else if (!vreg(s, &e.vreg))
        return false;
    vec_push(p->mem, &p->edits, e);
    return end_of_line(s);
}

static bool target(Parse *s) {
    RaProblem *p = s->p;
    uint32_t n, first = p->args.n;
    char c;
    next(s);
    if (!numbered(s, "block", "", &n, &c)) return bad(s, "expected a block");
    next(s);
    vec_push(p->mem, &p->succs, n);
    if (skip_punct(s, '(')) do {
            RaVReg v;
            if (!vreg(s, &v)) return false;
            vec_push(p->mem, &p->args, v);
        } while (skip_punct(s, ','));
    if (p->args.n > first && !skip_punct(s, ')')) return bad(s, "expected `,` or `)`");
    vec_push(p->mem, &p->edge_args, p->args.n);
    vec_last(&p->blocks).succ_end++;
    return end_of_line(s);
}

static bool starts_block(const Parse *s) {
    return s->t.kind == TOK_WORD && s->t.n >= 5 && memcmp(s->t.p, "block", 5) == 0;
}

static bool block(Parse *s) {
    if (!block_head(s)) return false;
    bool done = false; /* targets have begun */
    while (s->t.kind != TOK_END && !starts_block(s) && !is_word(s, "function")) {
        bool ok = s->t.kind == TOK_ARROW ? target(s)
                  : done                 ? bad(s, "expected `->` or a block")
                  : is_word(s, "before") ? edit(s, false)
                  : is_word(s, "after")  ? edit(s, true)
                                         : instruction(s);
        if (!ok) return false;
        done = s->p->edge_args.n - 1 > vec_last(&s->p->blocks).succ_start;
    }
    const RaProblem *p = s->p;
    if (p->edits.n && vec_last(&p->edits).point >= 2 * p->flags.n)
        return bad_at(s, s->edit_pos, "no instruction of the block stands after this move");
    return true;
}

/* ---- functions ---- */
/* Predecessors in the order of their edges. */
static void predecessors(RaProblem *p) {
    uint32_t nb = p->blocks.n;
    vec_clear(&p->pred_count);
    vec_resize0(p->mem, &p->pred_count, nb);
    uint32_t *at = p->pred_count.p, sum = 0;
    for (uint32_t e = 0; e < p->succs.n; e++)
        if (p->succs.p[e] < nb) at[p->succs.p[e]]++;
    for (uint32_t b = 0; b < nb; b++) {
        p->blocks.p[b].pred_start = sum;
        sum += at[b];
        at[b] = p->blocks.p[b].pred_start;
        p->blocks.p[b].pred_end = sum;
    }
    vec_clear(&p->preds);
    vec_resize0(p->mem, &p->preds, sum);
    for (uint32_t b = 0; b < nb; b++)
        for (uint32_t e = p->blocks.p[b].succ_start; e < p->blocks.p[b].succ_end; e++)
            if (p->succs.p[e] < nb) p->preds.p[at[p->succs.p[e]]++] = b;
}

static void finish(RaProblem *p) {
    predecessors(p);
    p->f = (RaFunc){.num_insts = p->flags.n,
                    .num_blocks = p->blocks.n,
                    .num_vregs = p->slots.n,
                    .blocks = p->blocks.p,
                    .succs = p->succs.p,
                    .preds = p->preds.p,
                    .params = p->params.p,
                    .edge_args = p->edge_args.p,
                    .branch_args = p->args.p,
                    .ops = p->ops.p,
                    .op_start = p->op_start.p,
                    .inst_flags = p->flags.p,
                    .clobbers = p->clobbers.p,
                    .num_clobbers = p->clobbers.n,
                    .vreg_slots = p->slots.p};
    p->out.allocs = p->allocs.p;
    p->out.edits = p->edits.p;
    p->out.num_edits = p->edits.n;
}

static void clear(RaProblem *p) {
    vec_clear(&p->blocks);
    vec_clear(&p->succs);
    vec_clear(&p->edge_args);
    vec_clear(&p->op_start);
    vec_clear(&p->params);
    vec_clear(&p->args);
    vec_clear(&p->ops);
    vec_clear(&p->flags);
    vec_clear(&p->slots);
    vec_clear(&p->clobbers);
    vec_clear(&p->allocs);
    vec_clear(&p->edits);
    vec_clear(&p->inst_pos);
    vec_clear(&p->block_pos);
    vec_clear(&p->vreg_pos);
    vec_push(p->mem, &p->op_start, 0);
    vec_push(p->mem, &p->edge_args, 0);
    p->has_result = false;
    p->out = (RaOutput){.num_slots = 0};
}

void ra_reader_init(RaReader *r, const char *text, uint32_t n) {
    *r = (RaReader){.p = text, .n = n, .line = 1};
}

bool ra_read(RaReader *r, RaProblem *p, Diag *d) {
    Parse s = {.r = r, .p = p, .d = d};
    clear(p);
    do next(&s);
    while (s.t.kind == TOK_LINE);
    p->head_pos = s.t.pos;
    if (s.t.kind == TOK_END || !head(&s)) return false;
    do
        if (!block(&s)) return false;
    while (starts_block(&s));
    if (s.t.kind == TOK_WORD) { /* `function` is read again */
        r->at = (uint32_t)(s.t.p - r->p);
    }
    finish(p);
    return true;
}

bool ra_problem_check(RaCtx *c, const RaProblem *p, Diag *d) {
    return ra_check_input(c, &p->f, &p->env, d) || ra_problem_place(c, p, d);
}

bool ra_problem_place(const RaCtx *c, const RaProblem *p, Diag *d) {
    RaFault at = ra_fault(c);
    RaTextPos pos = p->head_pos;
    if (at.kind == RA_FAULT_INST && at.index < p->inst_pos.n) pos = p->inst_pos.p[at.index];
    if (at.kind == RA_FAULT_BLOCK && at.index < p->block_pos.n) pos = p->block_pos.p[at.index];
    if (at.kind == RA_FAULT_VREG && at.index < p->vreg_pos.n) pos = p->vreg_pos.p[at.index];
    d->pos_kind = DIAG_POS_LINE;
    d->a = pos.line;
    d->b = pos.col;
    return false;
}

void ra_problem_init(RaProblem *p, Mem *m) {
    memset(p, 0, sizeof *p);
    p->mem = m;
}

void ra_problem_free(RaProblem *p) {
    Mem *m = p->mem;
    vec_free(m, &p->blocks);
    vec_free(m, &p->succs);
    vec_free(m, &p->preds);
    vec_free(m, &p->edge_args);
    vec_free(m, &p->op_start);
    vec_free(m, &p->pred_count);
    vec_free(m, &p->params);
    vec_free(m, &p->args);
    vec_free(m, &p->ops);
    vec_free(m, &p->flags);
    vec_free(m, &p->slots);
    vec_free(m, &p->clobbers);
    vec_free(m, &p->allocs);
    vec_free(m, &p->edits);
    vec_free(m, &p->inst_pos);
    vec_free(m, &p->block_pos);
    vec_free(m, &p->vreg_pos);
}

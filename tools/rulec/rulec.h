/* rulec.h — the types shared by the phases of the rule compiler.
 *
 * Phases, each a file, each reads what the one before wrote:
 *   lexer.c    bytes                → tokens
 *   parser.c   tokens               → Def list (AST)
 *   sema.c     Def list             → types, terms, constants, conversions (Env)
 *   ruleset.c  the rules of a term  → hash-consed bindings + per-rule constraints (RuleSet)
 *   overlap.c  RuleSet              → errors: overlaps, shadowed rules, recursion
 *   serialize.c RuleSet             → decision tree (Block)
 *   codegen.c  Block                → C text
 * All memory comes from one arena of the Rulec context and lives until the process ends its work;
 * there are no mutable globals.  Every index is 32 bits, NONE is "no such thing". */
#ifndef RULEC_H
#define RULEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define NONE UINT32_MAX
#define MAX_ARITY 64        /* fields of a variant, arguments of a term */
#define MAX_DEPTH 200       /* nesting of forms, patterns and expressions */
#define MAX_EXPANSION 2000  /* nesting of a pattern after expansion of extractor macros */
#define MAX_RULE_SIZE 20000 /* nodes of one rule after expansion of extractor macros */

typedef uint32_t Sym;
typedef uint32_t TypeId;
typedef uint32_t TermId;
typedef uint32_t BindId;

typedef struct Pos {
    uint32_t file, line, col;
} Pos;

#define VEC(T)           \
    struct {             \
        T *d;            \
        uint32_t n, cap; \
    }

/* --- AST --------------------------------------------------------------------------------- */

typedef enum {
    PAT_WILD,
    PAT_VAR,
    PAT_BIND,
    PAT_INT,
    PAT_BOOL,
    PAT_CONST,
    PAT_TERM,
    PAT_AND
} PatKind;

typedef struct Pat Pat;
struct Pat {
    PatKind kind;
    Pos pos;
    Sym name;     /* VAR BIND CONST TERM */
    bool neg;     /* INT: written with a minus sign */
    uint64_t val; /* INT: magnitude; BOOL: 0 or 1 */
    Pat **args;   /* TERM AND: children; BIND: one child */
    uint32_t nargs;
};

typedef enum { EXPR_VAR, EXPR_INT, EXPR_BOOL, EXPR_CONST, EXPR_TERM, EXPR_LET } ExprKind;

typedef struct Expr Expr;
typedef struct LetDef {
    Pos pos;
    Sym var, ty;
    Expr *val;
} LetDef;
struct Expr {
    ExprKind kind;
    Pos pos;
    Sym name;
    bool neg;
    uint64_t val;
    Expr **args;
    uint32_t nargs;
    LetDef *defs;
    uint32_t ndefs;
    Expr *body;
};

typedef struct IfLet {
    Pat *pat;
    Expr *expr;
} IfLet;

typedef struct FieldAst {
    Pos pos;
    Sym name, ty;
} FieldAst;
typedef struct VariantAst {
    Pos pos;
    Sym name;
    FieldAst *fields;
    uint32_t nfields;
} VariantAst;

typedef struct Ident {
    Sym name;
    Pos pos;
} Ident;

typedef enum {
    DEF_TYPE_PRIM,
    DEF_TYPE_ENUM,
    DEF_DECL,
    DEF_RULE,
    DEF_EXTRACTOR,
    DEF_EXTERN_CTOR,
    DEF_EXTERN_ETOR,
    DEF_EXTERN_CONST,
    DEF_CONVERT
} DefKind;

typedef struct Def {
    DefKind kind;
    Pos pos;
    Ident name;  /* the type, term or constant being defined; rule: its name or NONE */
    Ident other; /* C name of a primitive, function or constant; CONVERT: outer type */
    Ident third; /* primitive: equality function; constant: its type; CONVERT: the term */
    bool is_extern, infallible, pure, partial, multi, rec, has_prio;
    int64_t prio;
    VariantAst *variants;
    uint32_t nvariants;
    Ident *args; /* DECL: argument types; EXTRACTOR: macro parameters */
    uint32_t nargs;
    Ident ret;
    Pat *pat; /* RULE: left-hand side; EXTRACTOR: template */
    IfLet *iflets;
    uint32_t niflets;
    Expr *expr;
} Def;

/* --- environment -------------------------------------------------------------------------- */

typedef struct Field {
    Sym name;
    TypeId ty;
} Field;
typedef struct Variant {
    Sym name; /* without the type's name */
    Field *fields;
    uint32_t nfields;
    TermId term;
} Variant;

typedef enum { TY_BOOL, TY_INT, TY_PRIM, TY_ENUM } TypeKind;
typedef struct Type {
    TypeKind kind;
    Sym name;
    const char *cname;
    const char *eq; /* primitive: C function for equality, or null for == */
    Pos pos;
    uint32_t bits;
    bool is_signed;
    bool all_nullary; /* enum: a plain C enum */
    Variant *variants;
    uint32_t nvariants;
} Type;

typedef enum { CTOR_NONE, CTOR_INTERNAL, CTOR_EXTERN } CtorKind;
typedef enum { ETOR_NONE, ETOR_MACRO, ETOR_EXTERN } EtorKind;

typedef struct Term {
    Sym name;
    Pos pos;
    TypeId *args;
    uint32_t nargs;
    TypeId ret;
    bool pure, partial, multi, rec, infallible;
    uint32_t variant; /* enum variant term: its index, else NONE */
    CtorKind ctor;
    const char *ctor_fn;
    EtorKind etor;
    const char *etor_fn;
    const Def *macro;
    Pos ctor_pos, etor_pos;
} Term;

typedef struct Const {
    Sym name;
    TypeId ty;
    const char *cexpr;
} Const;

typedef struct Conv {
    TypeId inner, outer;
    TermId term;
} Conv;

typedef struct SymInfo {
    const char *str;
    TypeId type;
    TermId term;
    uint32_t cst; /* index into consts */
} SymInfo;

/* --- rule sets ---------------------------------------------------------------------------- */

typedef enum {
    B_BOOL,          /* val */
    B_INT,           /* val, b = negative literal of a primitive type */
    B_CONST,         /* a = constant */
    B_ARG,           /* a = index */
    B_EXTRACT,       /* a = term, src[0] */
    B_CONSTRUCT,     /* a = term, b = instance (0 when pure), src */
    B_ITER,          /* src[0] = a multi extract or construct */
    B_MAKE_VARIANT,  /* a = type, b = variant, src */
    B_MATCH_VARIANT, /* a = variant, b = field, src[0] */
    B_MATCH_SOME,    /* src[0] = a fallible extract or construct */
    B_MATCH_TUPLE    /* a = index, src[0] = the extract, its MATCH_SOME or its ITER */
} BindKind;

typedef struct Binding {
    BindKind kind;
    TypeId ty; /* NONE when the binding has no single value */
    uint32_t a, b;
    uint64_t val;
    BindId *src;
    uint32_t nsrc;
} Binding;

typedef enum { C_VARIANT, C_BOOL, C_INT, C_CONST, C_SOME } ConstraintKind;

typedef struct Constraint {
    ConstraintKind kind;
    TypeId ty;
    uint32_t a;   /* VARIANT: index; CONST: constant; INT: negative */
    uint64_t val; /* BOOL INT */
} Constraint;

typedef struct Cond {
    BindId at;
    Constraint c;
} Cond;

typedef struct EqMember {
    BindId at;
    uint32_t cls;
} EqMember;

typedef struct Rule {
    uint32_t index; /* among all rules of the program */
    Sym name;       /* NONE when the rule has no name */
    Pos pos;
    int64_t prio;
    VEC(Cond) conds;      /* sorted by `at` */
    VEC(EqMember) equals; /* binding sites that must be equal, by class */
    VEC(BindId) iters;
    VEC(BindId) impure;
    BindId result;
} Rule;

typedef struct RuleSet {
    TermId term;
    VEC(Rule) rules;
    VEC(Binding) binds;
    uint32_t *hash; /* open addressing table of BindId + 1 */
    uint32_t hash_cap;
} RuleSet;

/* --- decision tree ------------------------------------------------------------------------ */

typedef struct Block Block;
typedef struct Arm {
    Constraint c;
    Block *body;
} Arm;

typedef enum { STEP_MATCH, STEP_EQUAL, STEP_LOOP, STEP_RETURN } StepKind;

typedef struct Step {
    VEC(BindId) binds; /* evaluated, in this order, before the step */
    StepKind kind;
    BindId a, b; /* MATCH a; EQUAL a b; LOOP a (the source), b (its B_ITER) */
    VEC(Arm) arms;
    Block *body;   /* EQUAL LOOP */
    uint32_t rule; /* RETURN */
} Step;

struct Block {
    VEC(Step) steps;
};

/* --- context ------------------------------------------------------------------------------ */

typedef struct Chunk Chunk;
typedef struct Error {
    Pos pos;
    char *msg;
} Error;

typedef struct Rulec {
    Chunk *chunks;
    size_t chunk_used;
    VEC(const char *) files;
    VEC(Error) errors;
    VEC(SymInfo) syms;
    uint32_t *sym_hash;
    uint32_t sym_hash_cap;
    VEC(Def) defs;
    VEC(Type) types;
    VEC(Term) terms;
    VEC(Const) consts;
    VEC(Conv) convs;
    VEC(RuleSet) sets; /* one for each term that has rules, in the order of the terms */
    uint32_t nrules;
} Rulec;

typedef struct Options {
    const char *prefix; /* of the generated names */
    const char *ctx;    /* C type of the context */
    const char *const *includes;
    uint32_t nincludes;
    const char *const *roots;
    uint32_t nroots;
} Options;

/* util.c */
void *rulec_alloc(Rulec *rc, size_t size);
void *rulec_grow(Rulec *rc, void *old, uint32_t n, uint32_t *cap, size_t elem);
char *rulec_format(Rulec *rc, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void rulec_free(Rulec *rc);
Sym rulec_intern(Rulec *rc, const char *s, size_t len);
void rulec_error(Rulec *rc, Pos pos, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void rulec_print_errors(Rulec *rc, FILE *to);

#define vec_push(rc, v, x)                                                              \
    ((v)->n == (v)->cap                                                                 \
         ? (void)((v)->d = rulec_grow((rc), (v)->d, (v)->n, &(v)->cap, sizeof *(v)->d)) \
         : (void)0,                                                                     \
     (v)->d[(v)->n++] = (x))

static inline const char *sym_str(const Rulec *rc, Sym s) {
    return rc->syms.d[s].str;
}

/* lexer.c */
typedef enum { TOK_EOF, TOK_LPAREN, TOK_RPAREN, TOK_AT, TOK_SYM, TOK_INT, TOK_BAD } TokKind;
typedef struct Lexer {
    Rulec *rc;
    const char *p, *end;
    Pos pos;     /* of p */
    TokKind tok; /* the current token */
    Pos tok_pos;
    Sym sym;
    const char *text; /* TOK_SYM */
    bool neg;
    uint64_t val;
} Lexer;
void lexer_init(Lexer *lx, Rulec *rc, uint32_t file, const char *text, size_t len);
void lexer_next(Lexer *lx);

/* parser.c */
void parse_file(Rulec *rc, uint32_t file, const char *text, size_t len);

/* sema.c */
void sema_run(Rulec *rc);
TermId sema_convert(const Rulec *rc, TypeId inner, TypeId outer);
bool sema_int_fits(const Type *ty, bool neg, uint64_t mag, uint64_t *bits);

/* ruleset.c */
void ruleset_build(Rulec *rc);
const Cond *rule_cond(const Rule *r, BindId at);
uint32_t rule_class(const Rule *r, BindId at);
int constraint_cmp(const Constraint *a, const Constraint *b);

/* overlap.c */
void overlap_check(Rulec *rc);
void recursion_check(Rulec *rc);

/* serialize.c */
Block *serialize(Rulec *rc, const RuleSet *rs);

/* codegen.c */
void codegen(Rulec *rc, const Options *opt, FILE *c_out, FILE *h_out);

#endif

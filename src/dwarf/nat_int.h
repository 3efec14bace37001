/* dwarf/nat_int.h — structures shared by the files that write native information from a module's. */
#ifndef COT_DWARF_NAT_INT_H
#define COT_DWARF_NAT_INT_H
#include "dwarf/dw_int.h"
#include "dwarf/native.h"

typedef struct NatEntry { /* an entry that is copied */
    uint32_t in, out;
    uint32_t native; /* of a pointer type: the one for variables; out is then for parts of others */
} NatEntry;
typedef struct NatGap { /* entries that are left out */
    uint32_t lo, hi;
} NatGap;
typedef struct NatFix { /* 4 bytes of .debug_info that will refer to an entry */
    uint32_t at, target, unit, native;
} NatFix;
typedef struct NatSpan { /* machine code of one function */
    uint32_t start, end;
} NatSpan;
typedef VEC(NatSpan) NatSpans;

typedef struct Nat {
    const DwarfNative *n;
    DwarfOutput *o;
    Dwarf *w;
    Mem *mem;
    /* nat_map.c: per function, the numbers of its locs by source address, from first[f] on */
    VecU32 by_source, first,
        owner;     /* owner: the entry whose code the function is, DW_NONE = nobody's */
    VecU32 claims; /* functions that have an owner, in the order of these */
    NatSpans spans;
    VecU32 picks;
    /* nat_scan.c */
    VEC(NatEntry) entries; /* sorted by in */
    VEC(NatGap) gaps;      /* likewise */
    /* nat_unit.c */
    DwarfDie die;
    VEC(DwValue) values; /* of the entry that is being copied */
    VEC(NatFix) fixes;
    uint32_t fixed; /* those before are of entries that are written */
    DwLines lines;
    VEC(DwarfPiece) pieces;
    VecU32 funcs; /* of the unit */
    VEC(DwarfOutRow) rows;
    VEC(const DwRow *) row_of;
    VecU8 lead;
    uint32_t next;       /* in entries */
    uint32_t nwritten;   /* of claims */
    uint32_t unit, base; /* of the unit: its offset, the chunk that lists count from */
    uint32_t nfiles;
    VecU8 expr;
    StrBuf text;
} Nat;

/* Ranges cost what machine code is in them, not their own length. */
static inline uint64_t nat_tank(const Nat *k) {
    enum { RANGES_PER_LOC = 256 };
    return k->w->tank + (uint64_t)k->by_source.n * RANGES_PER_LOC;
}

/* ---- nat_map.c ---- */
void nat_map_init(Nat *k);
/* The function that source code from lo to below hi is of, DW_NONE = none. */
uint32_t nat_function(const Nat *k, uint64_t lo, uint64_t hi);
/* Into k->spans: machine code of function f that is of source code from lo to below hi, added to what is there. */
void nat_spans_add(Nat *k, uint32_t f, uint64_t lo, uint64_t hi);
void nat_spans_end(Nat *k); /* sorts and joins */
/* Into k->spans: of the ranges that an entry of that function has. */
void nat_spans_of(Nat *k, const DwUnit *u, uint32_t f, const DwPcs *p);
DwarfPiece nat_piece(const Nat *k, uint32_t f, NatSpan s);

/* ---- nat_scan.c ---- */
void nat_scan(Nat *k);
/* Reads the entry at c with its values into k->values; false: the end of the unit or damaged. An end of children has no values. */
bool nat_read(Nat *k, const DwUnit *u, DwCur *c, DwEntry *e);
const DwValue *nat_value(const Nat *k, unsigned name); /* NULL: it has none */
DwPcs nat_pcs(const Nat *k);
static inline bool nat_has_pcs(const DwPcs *p) {
    return p->low.name || p->ranges.name;
}
/* Index of the entry at an offset, DW_NONE: there is none, or it is left out. */
uint32_t nat_entry(const Nat *k, uint32_t in);
static inline bool nat_is_unit(const DwUnit *u) {
    return u->kind == DW_UNIT_COMPILE || u->kind == DW_UNIT_PARTIAL;
}
static inline bool nat_is_pointer(unsigned tag) {
    return tag == DW_TAG_POINTER_TYPE || tag == DW_TAG_REFERENCE_TYPE ||
           tag == DW_TAG_RVALUE_REFERENCE_TYPE;
}

/* ---- nat_type.c ---- */
/* The pointer type, at an offset, that a variable with this type (v: a reference) has, DW_NONE: it is no pointer. */
uint32_t nat_pointer(Nat *k, const DwUnit *u, const DwValue *v);
/* Of a variable that has the type from the entry it was made from, too. */
uint32_t nat_variable_pointer(Nat *k, const DwUnit *u, const DwValue *type, const DwValue *origin);
bool nat_is_function_type(Nat *k, const DwUnit *u, const DwValue *v);
/* Name of the type that a reference leads to, into k->text. */
void nat_type_name(Nat *k, const DwUnit *u, const DwValue *v);

/* ---- nat_expr.c ---- */
typedef enum NatUse { NAT_VALUE, NAT_POINTER, NAT_FRAME } NatUse;
enum { NAT_MOST_NEEDS = 8 };
typedef struct NatExpr { /* what the translation of an expression needs to know */
    uint32_t need[NAT_MOST_NEEDS], nneeds;
    DwarfHome home[NAT_MOST_NEEDS];
    bool has_frame; /* the function has a frame base */
} NatExpr;
/* Which locals an expression refers to. False: it cannot be translated. */
bool nat_expr_needs(Nat *k, const DwUnit *u, const uint8_t *p, uint64_t n, NatUse use, NatExpr *x);
/* Into k->expr; x with the homes filled in. */
bool nat_expr(Nat *k, const DwUnit *u, const uint8_t *p, uint64_t n, NatUse use, NatExpr *x);
/* Into k->expr: the address of the memory, as a value, where the context is in its usual register. */
void nat_expr_memory(Nat *k);
/* Does it mean the same anywhere? */
bool nat_expr_is_plain(const uint8_t *p, uint64_t n);

/* ---- nat_where.c ---- */
/* Adds attribute `name` to k->die: where a variable of function f (DW_NONE: none) is, or its frame. False: nothing is known. */
bool nat_where(Nat *k, const DwUnit *u, uint32_t f, unsigned name, const DwValue *v, NatUse use,
               bool has_frame);

/* ---- nat_line.c ---- */
/* The unit's line table; its offset. */
uint32_t nat_lines(Nat *k, const DwUnit *u);

/* ---- nat_unit.c ---- */
void nat_units(Nat *k);
#endif

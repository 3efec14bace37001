/* dwarf/dw_int.h — the reader's structures, for the files of this folder. Numbers are those of the standard (DWARF 5, 7).
 *
 * Every read goes through a cursor, which never leaves its section: past the end, or at something that cannot be, it turns
 * bad, gives zeros and stays where it is. Loops ask for it once a round. */
#ifndef COT_DWARF_DW_INT_H
#define COT_DWARF_DW_INT_H
#include "base/hashmap.h"
#include "base/leb128.h"
#include "dwarf/dwarf.h"

enum { /* tags of entries that are looked at */
       DW_TAG_ARRAY_TYPE = 0x01,
       DW_TAG_CLASS_TYPE = 0x02,
       DW_TAG_ENUMERATION_TYPE = 0x04,
       DW_TAG_FORMAL_PARAMETER = 0x05,
       DW_TAG_LABEL = 0x0a,
       DW_TAG_MEMBER = 0x0d,
       DW_TAG_POINTER_TYPE = 0x0f,
       DW_TAG_REFERENCE_TYPE = 0x10,
       DW_TAG_COMPILE_UNIT = 0x11,
       DW_TAG_STRUCTURE_TYPE = 0x13,
       DW_TAG_SUBROUTINE_TYPE = 0x15,
       DW_TAG_TYPEDEF = 0x16,
       DW_TAG_UNION_TYPE = 0x17,
       DW_TAG_INLINED_SUBROUTINE = 0x1d,
       DW_TAG_PTR_TO_MEMBER_TYPE = 0x1f,
       DW_TAG_BASE_TYPE = 0x24,
       DW_TAG_CONST_TYPE = 0x26,
       DW_TAG_SUBPROGRAM = 0x2e,
       DW_TAG_VARIABLE = 0x34,
       DW_TAG_VOLATILE_TYPE = 0x35,
       DW_TAG_RESTRICT_TYPE = 0x37,
       DW_TAG_NAMESPACE = 0x39,
       DW_TAG_PARTIAL_UNIT = 0x3c,
       DW_TAG_RVALUE_REFERENCE_TYPE = 0x42,
       DW_TAG_ATOMIC_TYPE = 0x47,
       DW_TAG_CALL_SITE = 0x48,
       DW_TAG_SKELETON_UNIT = 0x4a,
       DW_TAG_GNU_CALL_SITE = 0x4109
};
enum { /* attributes */
       DW_AT_SIBLING = 0x01,
       DW_AT_LOCATION = 0x02,
       DW_AT_NAME = 0x03,
       DW_AT_BYTE_SIZE = 0x0b,
       DW_AT_STMT_LIST = 0x10,
       DW_AT_LOW_PC = 0x11,
       DW_AT_HIGH_PC = 0x12,
       DW_AT_LANGUAGE = 0x13,
       DW_AT_COMP_DIR = 0x1b,
       DW_AT_CONST_VALUE = 0x1c,
       DW_AT_CONTAINING_TYPE = 0x1d,
       DW_AT_PRODUCER = 0x25,
       DW_AT_ABSTRACT_ORIGIN = 0x31,
       DW_AT_DATA_MEMBER_LOCATION = 0x38,
       DW_AT_DECL_FILE = 0x3a,
       DW_AT_DECL_LINE = 0x3b,
       DW_AT_ENCODING = 0x3e,
       DW_AT_EXTERNAL = 0x3f,
       DW_AT_FRAME_BASE = 0x40,
       DW_AT_SPECIFICATION = 0x47,
       DW_AT_TYPE = 0x49,
       DW_AT_VTABLE_ELEM_LOCATION = 0x4d,
       DW_AT_ENTRY_PC = 0x52,
       DW_AT_RANGES = 0x55,
       DW_AT_CALL_COLUMN = 0x57,
       DW_AT_CALL_FILE = 0x58,
       DW_AT_CALL_LINE = 0x59,
       DW_AT_LINKAGE_NAME = 0x6e,
       DW_AT_STR_OFFSETS_BASE = 0x72,
       DW_AT_ADDR_BASE = 0x73,
       DW_AT_RNGLISTS_BASE = 0x74,
       DW_AT_CALL_ALL_CALLS = 0x7a,
       DW_AT_CALL_DATA_VALUE = 0x86,
       DW_AT_LOCLISTS_BASE = 0x8c
};
enum {
#define DW_FORM(NAME, code, size, class) DW_FORM_##NAME = code,
#include "dwarf/forms.def"
#undef DW_FORM
    DW_FORM_MOST = 0x2d
};
typedef enum DwClass {
    DW_CLASS_NONE, /* known, but points to where we cannot look */
    DW_CLASS_ADDRESS,
    DW_CLASS_ADDRESS_INDEX,
    DW_CLASS_BLOCK,
    DW_CLASS_NUMBER,
    DW_CLASS_SIGNED,
    DW_CLASS_FLAG,
    DW_CLASS_STRING,
    DW_CLASS_STR,
    DW_CLASS_LINE_STR,
    DW_CLASS_STR_INDEX,
    DW_CLASS_UNIT_ENTRY,
    DW_CLASS_ENTRY,
    DW_CLASS_OFFSET,
    DW_CLASS_LOC_INDEX,
    DW_CLASS_RANGE_INDEX
} DwClass;

/* ---- cursors ---- */
typedef struct DwCur {
    const uint8_t *p, *end;
    bool bad;
} DwCur;
static inline uint64_t dw_fail(DwCur *c) {
    c->bad = true;
    c->p = c->end;
    return 0;
}
static inline size_t dw_left(const DwCur *c) {
    return (size_t)(c->end - c->p);
}
static inline uint64_t dw_uint(DwCur *c, unsigned n) { /* at most 8 bytes */
    if (dw_left(c) < n) return dw_fail(c);
    uint64_t x = 0;
    for (unsigned i = 0; i < n; i++) x |= (uint64_t)c->p[i] << 8 * i;
    c->p += n;
    return x;
}
static inline uint64_t dw_uleb(DwCur *c) {
    uint64_t x = 0;
    if (c->p < c->end && *c->p < 0x80) return *c->p++;
    return leb_u64(&c->p, c->end, &x) == LEB_OK ? x : dw_fail(c);
}
static inline int64_t dw_sleb(DwCur *c) {
    int64_t x = 0;
    return leb_s64(&c->p, c->end, &x) == LEB_OK ? x : (int64_t)dw_fail(c);
}
static inline const uint8_t *dw_skip(DwCur *c, uint64_t n) { /* where the bytes were */
    const uint8_t *p = c->p;
    if (n > dw_left(c))
        dw_fail(c);
    else
        c->p += n;
    return p;
}
DwarfStr dw_string(DwCur *c); /* up to its NUL */

/* ---- units and entries (read.c) ---- */
typedef struct DwSpec {
    uint16_t name,
        form; /* attribute; form 0: one that we do not know, so the entry cannot be passed over */
    int64_t implicit;
} DwSpec;
typedef struct DwAbbrev {
    uint64_t code;
    uint32_t specs, nspecs; /* in Dwarf.specs */
    uint16_t tag;
    bool children;
    uint8_t known; /* sizes of all values are the same in every entry of a unit with these sizes: */
    uint32_t bytes, addrs, offs; /* so many bytes, addresses, offsets */
} DwAbbrev;
typedef struct DwAbbrevs { /* one table */
    uint32_t offset;
    uint32_t first, n; /* in Dwarf.abbrevs */
    bool dense;        /* the k-th has code k + 1; otherwise they are sorted by code */
} DwAbbrevs;

typedef struct DwUnit {
    uint32_t off, end; /* header and end, in the section */
    uint32_t root;     /* first entry */
    uint8_t version, addr_size, off_size, kind;
    uint32_t abbrevs; /* in Dwarf.tables; UINT32_MAX: not read yet */
    uint32_t abbrev_offset;
    /* of the first entry, once `opened` */
    bool opened, has_lines, has_pcs;
    uint64_t low_pc, lines;
    uint64_t str_offsets, addrs, rnglists, loclists;
    DwarfStr name, dir;
    uint32_t index; /* in Dwarf.indices; DW_NONE: not made yet */
} DwUnit;
enum { DW_UNIT_COMPILE = 1, DW_UNIT_TYPE = 2, DW_UNIT_PARTIAL = 3, DW_UNIT_SKELETON = 4 };

typedef struct DwEntry {
    uint32_t off;
    const DwAbbrev *ab; /* NULL: the end of a list of children */
} DwEntry;
typedef struct DwValue {
    uint16_t name, form;
    uint8_t class; /* DwClass */
    uint64_t x;
    const uint8_t *p; /* block: its x bytes; string: the text */
} DwValue;

typedef struct DwScope { /* a namespace or type whose name is part of others' */
    uint32_t entry, up;  /* up: DW_NONE = the unit */
} DwScope;
typedef struct DwFunc { /* every subprogram entry of a unit, in the order of the section */
    uint32_t entry, scope;
} DwFunc;
typedef struct DwSpan {
    uint64_t lo, hi;
    uint32_t what;
} DwSpan;
#define DW_NONE UINT32_MAX

typedef struct DwRow {
    uint32_t addr, file, line, column;
    uint8_t flags;
} DwRow;
enum { DW_ROW_STMT = 1, DW_ROW_PROLOGUE_END = 2, DW_ROW_EPILOGUE = 4 };
typedef struct
    DwSequence { /* rows of rising addresses from lo on; the last of them ends before hi */
    uint32_t lo, hi, first, n;
} DwSequence;
typedef struct DwFile {
    DwarfStr name;
    uint64_t dir;
    const uint8_t *md5; /* 16 bytes, or NULL */
} DwFile;
typedef struct DwLines { /* a line table */
    VEC(DwarfStr) dirs;
    VEC(DwFile) files;
    VEC(DwRow) rows;
    VEC(DwSequence) sequences; /* sorted by lo */
    uint32_t base; /* number of the first file and, in DWARF 5, of the first folder: 0; else 1 */
    uint16_t version;
} DwLines;

typedef struct DwIndex { /* of one unit */
    DwLines lines;
    VEC(DwSpan) spans; /* of its functions, sorted; what: entry */
    VEC(DwFunc) funcs;
    VEC(DwScope) scopes;
} DwIndex;

struct Dwarf {
    Mem *mem;
    DwarfInput in;
    Arena text; /* of names put together */
    VEC(DwUnit) units;
    VEC(DwAbbrevs) tables;
    VEC(DwAbbrev) abbrevs;
    VEC(DwSpec) specs;
    HashMap table_at; /* offset -> tables */
    /* Damaged sections can ask for much more work than they are long (a list that every entry refers to): what is done
     * is paid for from here, and when nothing is left, nothing more is found. Each task starts with a full tank. */
    uint64_t fuel, tank;
    /* find.c */
    VEC(DwSpan) spans; /* of units, sorted; what: unit */
    bool has_spans;
    VEC(DwIndex) indices; /* of the units that were asked for */
};
static inline bool dw_pay(Dwarf *w, uint64_t n) {
    if (w->fuel < n) w->fuel = 0;
    w->fuel -= w->fuel ? n : 0;
    return w->fuel != 0;
}

static inline DwCur dw_cursor(const Dwarf *w, DwarfSection s, uint64_t off) {
    const DwarfBytes *b = &w->in.s[s];
    DwCur c = {b->p, b->p, true};
    if (off > b->n || !b->p) return c;
    return (DwCur){b->p + off, b->p + b->n, false};
}
/* Reads the units' headers. */
void dw_units(Dwarf *w);
/* Reads the first entry of the unit; false: damaged. */
bool dw_unit_open(Dwarf *w, DwUnit *u);
static inline DwCur dw_unit_cursor(const Dwarf *w, const DwUnit *u, uint32_t off) {
    DwCur c = dw_cursor(w, DWARF_INFO, off);
    if (!c.bad) c.end = w->in.s[DWARF_INFO].p + u->end;
    return c;
}
/* The entry at c, whose values come next; false: c is at the end of the unit or damaged. */
bool dw_entry(Dwarf *w, const DwUnit *u, DwCur *c, DwEntry *e);
void dw_pass_values(Dwarf *w, const DwUnit *u, DwCur *c, const DwEntry *e);
void dw_value(const Dwarf *w, const DwUnit *u, DwCur *c, const DwSpec *s, DwValue *v);
void dw_value_in(const Dwarf *w, const DwUnit *u, DwCur *c, unsigned form, DwValue *v);
/* What values mean; the second false: they mean nothing. */
DwarfStr dw_value_text(const Dwarf *w, const DwUnit *u, const DwValue *v);
bool dw_value_address(const Dwarf *w, const DwUnit *u, const DwValue *v, uint64_t *address);
/* Offset of an entry in the section, DW_NONE if it is none; *of its unit, u if it is that. */
uint32_t dw_value_entry(Dwarf *w, const DwUnit *u, const DwValue *v, const DwUnit **of);
DwUnit *dw_unit_at(Dwarf *w, uint32_t off); /* that contains the offset; NULL = none */

/* ---- lists.c ---- */
typedef struct DwList {
    Dwarf *w;
    const DwUnit *u;
    DwCur c;
    uint64_t base;
    bool places; /* each range has an expression behind it */
} DwList;
typedef enum DwListStep {
    DW_LIST_END, /* or damage, or too much work */
    DW_LIST_BASE,
    DW_LIST_RANGE /* code from lo to below hi, perhaps none; the cursor is at the expression, if there is one */
} DwListStep;
void dw_list(DwList *l, Dwarf *w, const DwUnit *u, const DwValue *v, bool places);
DwListStep dw_list_step(DwList *l, uint64_t *lo, uint64_t *hi);

/* ---- ranges.c ---- */
typedef struct DwPcs {         /* attributes of an entry that say where its code is */
    DwValue low, high, ranges; /* name 0: it has none */
} DwPcs;
static inline void dw_pcs_add(DwPcs *p, const DwValue *v) {
    if (v->name == DW_AT_LOW_PC)
        p->low = *v;
    else if (v->name == DW_AT_HIGH_PC)
        p->high = *v;
    else if (v->name == DW_AT_RANGES)
        p->ranges = *v;
}
typedef struct DwRangeIter {
    DwList list;
    uint64_t lo, hi; /* of a single range */
    bool single;
} DwRangeIter;
void dw_ranges(DwRangeIter *it, Dwarf *w, const DwUnit *u, const DwPcs *p);
/* The next range that is not empty. */
bool dw_range_next(DwRangeIter *it, uint64_t *lo, uint64_t *hi);

/* ---- loclist.c ---- */
typedef struct DwLocIter {
    DwList list;
    /* the entry: code from lo to below hi, expression */
    uint64_t lo, hi, n;
    const uint8_t *p;
} DwLocIter;
void dw_locs(DwLocIter *it, Dwarf *w, const DwUnit *u, const DwValue *v);
bool dw_loc_next(DwLocIter *it);

/* ---- line.c ---- */
/* The table at an offset; false: damaged, but what was read before that counts. dir, name: of the unit. */
bool dw_lines_read(Dwarf *w, const DwUnit *u, DwLines *t);
void dw_lines_clear(DwLines *t);
void dw_lines_free(Mem *m, DwLines *t);
/* The row that holds for an address, or NULL. */
const DwRow *dw_lines_find(const DwLines *t, uint64_t address);
/* Path of a file by number. */
DwarfStr dw_lines_path(Dwarf *w, const DwUnit *u, const DwLines *t, uint64_t file);
/* ---- find.c ---- */
/* Made when a unit is asked for first. Valid until the next one gets its own; what its arrays have stays. */
const DwIndex *dw_index(Dwarf *w, const DwUnit *u);
/* Name of the function of an entry: its own, or that of the entry it was made from. */
DwarfStr dw_function_name(Dwarf *w, const DwUnit *u, uint32_t entry);
/* By start, then length: the last of those that start at or before an address is the one to ask. */
void dw_sort_spans(DwSpan *p, uint32_t n);
const DwSpan *dw_find_span(const DwSpan *p, uint32_t n, uint64_t address);
#endif

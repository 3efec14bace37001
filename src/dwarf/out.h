/* dwarf/out.h — sections of debugging information that are being written: DWARF 5, 32-bit form, addresses of 8 bytes.
 *
 * Where code and sections end up is not known here: addresses and offsets in other sections are zeros with a DwarfReloc each.
 * Code is in chunks, which others move as a whole; a place in it is a chunk's number and an offset. */
#ifndef COT_DWARF_OUT_H
#define COT_DWARF_OUT_H
#include "base/hashmap.h"
#include "base/leb128.h"
#include "dwarf/dwarf.h"

enum { DWARF_CODE = DWARF_SECTION_COUNT };
typedef struct DwarfReloc { /* `size` bytes become an address or, of 4, an offset in a section */
    uint32_t offset;
    uint8_t size, section; /* target; DWARF_CODE: code */
    uint32_t chunk;
    uint64_t addend;
} DwarfReloc;
typedef struct DwarfOutput {
    Mem *mem;
    VecU8 s[DWARF_SECTION_COUNT];
    VEC(DwarfReloc) relocs[DWARF_SECTION_COUNT]; /* sorted by offset */
    HashMap strings, abbrevs, lists;             /* by hash of the contents */
    VecU32 abbrev_at; /* by number - 1: where its contents are, and behind the last one */
    uint32_t rnglists, loclists; /* headers of these two, once they are begun */
    uint32_t lists_base;         /* chunk that the lists in `lists` count from */
} DwarfOutput;
typedef struct DwarfPiece { /* of code */
    uint32_t chunk;
    uint64_t offset, size;
} DwarfPiece;

void dwarf_output_init(DwarfOutput *o, Mem *m);
void dwarf_output_free(DwarfOutput *o);
/* When everything is written: ends the tables that all units share. */
void dwarf_output_end(DwarfOutput *o);

/* Fills in what refers to sections, which begin at 0, and to code, whose only chunk is at an address. */
void dwarf_output_place(DwarfOutput *o, uint64_t code);

/* ---- bytes ---- */
static inline void out_num(DwarfOutput *o, DwarfSection s, uint64_t x, unsigned n) {
    uint8_t *p = vec_extend(o->mem, &o->s[s], n);
    for (unsigned i = 0; i < n; i++) p[i] = (uint8_t)(x >> 8 * i);
}
static inline void out_uleb(DwarfOutput *o, DwarfSection s, uint64_t x) {
    leb_put_u64(o->mem, &o->s[s], x);
}
static inline void out_bytes(DwarfOutput *o, DwarfSection s, const void *p, size_t n) {
    if (n) memcpy(vec_extend(o->mem, &o->s[s], n), p, n);
}
static inline void out_reloc(DwarfOutput *o, DwarfSection s, DwarfReloc r) {
    r.offset = o->s[s].n;
    vec_push(o->mem, &o->relocs[s], r);
    out_num(o, s, 0, r.size);
}
static inline void out_address(DwarfOutput *o, DwarfSection s, uint32_t chunk, uint64_t offset) {
    out_reloc(o, s,
              (DwarfReloc){.size = 8, .section = DWARF_CODE, .chunk = chunk, .addend = offset});
}
static inline void out_offset(DwarfOutput *o, DwarfSection s, DwarfSection to, uint32_t at) {
    out_reloc(o, s, (DwarfReloc){.size = 4, .section = (uint8_t)to, .addend = at});
}
/* A length of 4 bytes, filled in at the end; where it is. */
static inline uint32_t out_length(DwarfOutput *o, DwarfSection s) {
    out_num(o, s, 0, 4);
    return o->s[s].n - 4;
}
void out_end_length(DwarfOutput *o, DwarfSection s, uint32_t at);

/* ---- entries (out.c) ---- */
/* Offset of a text in .debug_str; equal ones are there once. */
uint32_t out_string(DwarfOutput *o, const char *p, uint32_t n);
/* Number of the abbreviation with these contents: tag, children, attributes with forms, 0 0. */
uint32_t out_abbrev(DwarfOutput *o, const uint8_t *p, uint32_t n);

/* An entry: attributes are added, then it goes to .debug_info with the abbreviation that they make up. */
typedef struct DwarfDie {
    DwarfOutput *o;
    VecU8 abbrev, values;
    VEC(DwarfReloc) relocs; /* in values */
} DwarfDie;
void die_free(DwarfDie *d);
void die_begin(DwarfDie *d, unsigned tag, bool children);
void die_attr(DwarfDie *d, unsigned name, unsigned form); /* the value comes next */
void die_num(DwarfDie *d, unsigned name, unsigned form,
             uint64_t x); /* of a fixed size, or LEB128 */
void die_string(DwarfDie *d, unsigned name, const char *p, uint32_t n);
void die_address(DwarfDie *d, unsigned name, uint32_t chunk, uint64_t offset);
void die_offset(DwarfDie *d, unsigned name, DwarfSection to, uint32_t at);
void die_block(DwarfDie *d, unsigned name, unsigned form, const uint8_t *p, uint32_t n);
/* Its offset in .debug_info; *values (may be NULL) that of its values. */
uint32_t die_end(DwarfDie *d, uint32_t *values);

/* A unit's header; where its length is. */
uint32_t out_unit(DwarfOutput *o, unsigned kind);

/* ---- lists (out.c) ---- */
/* Ranges of code; offsets count from the chunk `base`, as the unit's low_pc says, or DW_NO_BASE. */
#define DW_NO_BASE UINT32_MAX
uint32_t out_ranges(DwarfOutput *o, uint32_t base, const DwarfPiece *p, uint32_t n);
/* A list of places of a variable: begin, any number of ranges, end, which tells where it is. Equal lists of ranges or places are there
 * once. */
typedef struct DwarfLocList {
    uint32_t at, base;
} DwarfLocList;
DwarfLocList out_locs(DwarfOutput *o, uint32_t base);
void out_loc(DwarfOutput *o, DwarfLocList *l, DwarfPiece p, const uint8_t *expr, uint32_t n);
uint32_t out_locs_end(DwarfOutput *o, const DwarfLocList *l);
/* .debug_aranges of one unit */
void out_aranges(DwarfOutput *o, uint32_t unit, const DwarfPiece *p, uint32_t n);

/* ---- line tables (out_line.c) ---- */
typedef struct DwarfOutFile {
    DwarfStr name;
    uint32_t dir;       /* folder 0 is the unit's own */
    const uint8_t *md5; /* 16 bytes, in all files or in none */
} DwarfOutFile;
typedef struct DwarfOutRow { /* from this offset in the piece on */
    uint32_t offset, file, line, column;
    uint8_t flags; /* DW_OUT_* */
} DwarfOutRow;
enum { DW_OUT_STMT = 1, DW_OUT_PROLOGUE_END = 2 };
/* Files are numbered from 0, which is the unit's own. Where the table's length is. */
uint32_t out_lines(DwarfOutput *o, const DwarfStr *dirs, uint32_t ndirs, const DwarfOutFile *files,
                   uint32_t nfiles);
/* The same of the files of a unit's table, for the rows that follow; file 0 and folder 0 are made if it has none. */
struct DwUnit;
struct DwLines;
uint32_t out_lines_of(DwarfOutput *o, const struct DwUnit *u, const struct DwLines *t, bool md5,
                      uint32_t *nfiles);
/* Rows of a piece of code, by rising offset; at least one. */
void out_sequence(DwarfOutput *o, DwarfPiece at, const DwarfOutRow *rows, uint32_t n);
static inline void out_lines_end(DwarfOutput *o, uint32_t at) {
    out_end_length(o, DWARF_LINE, at);
}

/* ---- a unit of functions known by name and lines only (out_plain.c) ---- */
typedef struct DwarfFunction {
    DwarfStr name; /* n = 0: none */
    bool external;
    DwarfPiece at;
    const DwarfOutRow *rows; /* of file 0 */
    uint32_t nrows;
} DwarfFunction;
/* file: name of the source. Functions without rows are passed over; false: there are none with them. */
bool dwarf_write_plain(DwarfOutput *o, DwarfStr file, const DwarfFunction *f, uint32_t n);

/* ---- for backtraces (places.c) ---- */
/* What dwarf_find needs of the sections, for the same addresses, without relocations. */
void dwarf_write_places(const DwarfInput *in, DwarfOutput *o);
#endif

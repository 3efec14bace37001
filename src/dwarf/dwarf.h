/* dwarf/dwarf.h — debugging information: what a module says about its source is read here, and written for machine code.
 *
 * Knows neither Wasm nor object files: sections are bytes, an address is a number whose meaning is the caller's (in a
 * Wasm module: the distance from the start of the code section's contents). DWARF 2 to 5, little-endian.
 *
 * What is read comes from outside and may be anything: a value that makes no sense means that less is known, never more
 * than that. All memory comes from one Mem; a function that runs out of it leaves through its oom. */
#ifndef COT_DWARF_DWARF_H
#define COT_DWARF_DWARF_H
#include "base/strbuf.h"

typedef enum DwarfSection {
#define DWARF_SECTION(NAME, name) DWARF_##NAME,
#include "dwarf/sections.def"
#undef DWARF_SECTION
    DWARF_SECTION_COUNT
} DwarfSection;
extern const char *const dwarf_section_name[DWARF_SECTION_COUNT];
/* DWARF_SECTION_COUNT: none of them. */
DwarfSection dwarf_section_named(const char *name, size_t n);

typedef struct DwarfBytes {
    const uint8_t *p;
    size_t n; /* less than 4 GiB */
} DwarfBytes;
typedef struct DwarfInput {
    DwarfBytes s[DWARF_SECTION_COUNT];
} DwarfInput;

/* ---- from addresses to source (find.c) ---- */
typedef struct Dwarf Dwarf;
/* Looks at the headers of units only. The bytes must outlive the result. */
Dwarf *dwarf_open(Mem *m, const DwarfInput *in);
void dwarf_free(Dwarf *w); /* NULL is fine */

typedef struct DwarfStr {
    const char *p; /* not NUL-terminated; any bytes but NUL */
    uint32_t n;    /* 0: not known */
} DwarfStr;
typedef struct DwarfPlace {
    DwarfStr function;     /* with namespaces, as in the source: geo::Point::norm */
    DwarfStr file;         /* path as the compiler knew it */
    uint32_t line, column; /* 0: not known */
} DwarfPlace;
/* Where the instruction at the address comes from: the place itself, then, as long as code was inlined, where that was
 * called from; at most `most` of them. Returns their number, 0 if nothing is known. Texts live as long as w. */
uint32_t dwarf_find(Dwarf *w, uint64_t address, DwarfPlace *out, uint32_t most);
/* For messages: what could steer a terminal is escaped, what is not known is ??. */
void dwarf_put_text(DwarfStr s, StrBuf *out);
void dwarf_put_position(const DwarfPlace *p, StrBuf *out); /* FILE:LINE:COLUMN */
#endif

/* tests/unit/dwarf/db.h — writes the same debugging information in any of the ways that DWARF 2 to 5 allow, chosen by a seed:
 *
 *   /src/a.c   namespace geo { leaf at lines 2, 3 }         inlined into main at line 7, column 3
 *              [0x10, 0x40) main, lines 5 2 8               [0x20, 0x30) inlined geo::leaf, line 2, column 9
 *              [0x50, 0x58) other, line 11                  a second sequence, before the first one in the table */
#ifndef COT_TESTS_DB_H
#define COT_TESTS_DB_H
#include "cm.h"
#include <string.h>
#include "dwarf/dwarf.h"

typedef struct Db {
    uint64_t seed;
    unsigned version, off, addr; /* sizes of offsets and addresses */
    bool plain_names;            /* in .debug_info */
    struct {
        uint8_t p[2048];
        size_t n;
    } s[DWARF_SECTION_COUNT];
    DwarfInput in;
    unsigned nstrx, naddrx;
    size_t low_at; /* where .debug_info has main's first address, 0: elsewhere */
} Db;

static inline void db_num(Db *b, DwarfSection s, uint64_t x, unsigned n) {
    for (unsigned i = 0; i < n; i++) b->s[s].p[b->s[s].n++] = (uint8_t)(i < 8 ? x >> 8 * i : 0);
}
static inline void db_uleb(Db *b, DwarfSection s, uint64_t x) {
    unsigned pad = rnd(&b->seed) % 4 == 0 ? 2 : 0; /* as linkers leave them */
    for (; x >= 0x80; x >>= 7) db_num(b, s, (x & 0x7f) | 0x80, 1);
    db_num(b, s, x | (pad ? 0x80 : 0), 1);
    while (pad) db_num(b, s, --pad ? 0x80 : 0, 1);
}
static inline void db_str(Db *b, DwarfSection s, const char *t) {
    memcpy(b->s[s].p + b->s[s].n, t, strlen(t) + 1);
    b->s[s].n += strlen(t) + 1;
}
static inline void db_set(Db *b, DwarfSection s, size_t at, uint64_t x, unsigned n) {
    for (unsigned i = 0; i < n; i++) b->s[s].p[at + i] = (uint8_t)(x >> 8 * i);
}
static inline unsigned db_pick(Db *b, unsigned n) {
    return (unsigned)(rnd(&b->seed) % n);
}

/* ---- attributes: each puts its name and form into .debug_abbrev and its value into .debug_info ---- */
static inline void db_attr(Db *b, unsigned name, unsigned form) {
    db_uleb(b, DWARF_ABBREV, name);
    db_uleb(b, DWARF_ABBREV, form);
}
static inline void db_text(Db *b, unsigned name, const char *t) {
    unsigned how = db_pick(b, b->version >= 5 ? 4 : 2);
    if (how == 0) {
        db_attr(b, name, 0x08);
        db_str(b, DWARF_INFO, t);
    } else if (how == 1) {
        db_attr(b, name, 0x0e);
        db_num(b, DWARF_INFO, b->s[DWARF_STR].n, b->off);
        db_str(b, DWARF_STR, t);
    } else if (how == 2) {
        db_attr(b, name, 0x1f);
        db_num(b, DWARF_INFO, b->s[DWARF_LINE_STR].n, b->off);
        db_str(b, DWARF_LINE_STR, t);
    } else {
        static const uint8_t forms[] = {0x1a, 0x25, 0x26, 0x27, 0x28}, sizes[] = {0, 1, 2, 3, 4};
        unsigned k = db_pick(b, 5);
        db_attr(b, name, forms[k]);
        if (k)
            db_num(b, DWARF_INFO, b->nstrx++, sizes[k]);
        else
            db_uleb(b, DWARF_INFO, b->nstrx++);
        db_num(b, DWARF_STR_OFFSETS, b->s[DWARF_STR].n, b->off);
        db_str(b, DWARF_STR, t);
    }
}
static inline void db_number(Db *b, unsigned name, uint64_t x) {
    static const uint8_t forms[] = {0x0b, 0x05, 0x06, 0x07, 0x0f, 0x0d}, sizes[] = {1, 2, 4, 8};
    unsigned k = db_pick(b, b->version >= 5 ? 7 : 6);
    if (k == 6) {
        db_attr(b, name, 0x21);
        db_num(b, DWARF_ABBREV, x, 1); /* below 64 */
        return;
    }
    db_attr(b, name, forms[k]);
    if (k < 4)
        db_num(b, DWARF_INFO, x, sizes[k]);
    else if (k == 4)
        db_uleb(b, DWARF_INFO, x);
    else
        db_num(b, DWARF_INFO, x, 1);
}
static inline void db_offset(Db *b, unsigned name, uint64_t x) {
    db_attr(b, name, b->version >= 4 ? 0x17 : b->off == 8 ? 0x07 : 0x06);
    db_num(b, DWARF_INFO, x, b->off);
}
static inline uint64_t db_addrx(Db *b, uint64_t a) {
    db_num(b, DWARF_ADDR, a, b->addr);
    return b->naddrx++;
}
static inline void db_address(Db *b, unsigned name, uint64_t a) {
    if (b->version >= 5 && db_pick(b, 2)) {
        static const uint8_t forms[] = {0x1b, 0x29, 0x2a, 0x2b, 0x2c};
        unsigned k = db_pick(b, 5);
        db_attr(b, name, forms[k]);
        if (k)
            db_num(b, DWARF_INFO, db_addrx(b, a), k);
        else
            db_uleb(b, DWARF_INFO, db_addrx(b, a));
        return;
    }
    db_attr(b, name, 0x01);
    if (name == 0x11 && a == 0x10) b->low_at = b->s[DWARF_INFO].n;
    db_num(b, DWARF_INFO, a, b->addr);
}

/* ---- ranges ---- */
static inline void db_range5(Db *b, uint64_t lo, uint64_t hi, uint64_t *base) {
    unsigned k = db_pick(b, 7);
    if (k == 5 || k == 6) { /* a new base first */
        *base = lo - db_pick(b, 8);
        db_num(b, DWARF_RNGLISTS, k == 5 ? 1 : 5, 1);
        if (k == 5)
            db_uleb(b, DWARF_RNGLISTS, db_addrx(b, *base));
        else
            db_num(b, DWARF_RNGLISTS, *base, b->addr);
        k = 2;
    }
    static const uint8_t codes[] = {2, 3, 4, 6, 7};
    db_num(b, DWARF_RNGLISTS, codes[k], 1);
    if (k < 2)
        db_uleb(b, DWARF_RNGLISTS, db_addrx(b, lo));
    else if (k == 2)
        db_uleb(b, DWARF_RNGLISTS, lo - *base);
    else
        db_num(b, DWARF_RNGLISTS, lo, b->addr);
    if (k == 0)
        db_uleb(b, DWARF_RNGLISTS, db_addrx(b, hi));
    else if (k == 2)
        db_uleb(b, DWARF_RNGLISTS, hi - *base);
    else if (k == 3)
        db_num(b, DWARF_RNGLISTS, hi, b->addr);
    else
        db_uleb(b, DWARF_RNGLISTS, hi - lo);
}
/* n pairs; base: the unit's */
static inline void db_ranges(Db *b, const uint64_t *r, unsigned n, uint64_t base) {
    if (b->version < 5) {
        db_offset(b, 0x55, b->s[DWARF_RANGES].n);
        for (unsigned i = 0; i < n; i++) {
            if (db_pick(b, 2)) {
                base = r[2 * i] - db_pick(b, 8);
                db_num(b, DWARF_RANGES, UINT64_MAX, b->addr);
                db_num(b, DWARF_RANGES, base, b->addr);
            }
            db_num(b, DWARF_RANGES, r[2 * i] - base, b->addr);
            db_num(b, DWARF_RANGES, r[2 * i + 1] - base, b->addr);
        }
        db_num(b, DWARF_RANGES, 0, b->addr);
        db_num(b, DWARF_RANGES, 0, b->addr);
        return;
    }
    db_offset(b, 0x55, b->s[DWARF_RNGLISTS].n);
    for (unsigned i = 0; i < n; i++) db_range5(b, r[2 * i], r[2 * i + 1], &base);
    db_num(b, DWARF_RNGLISTS, 0, 1);
}
static inline void db_pcs(Db *b, uint64_t lo, uint64_t hi, uint64_t base) {
    const uint64_t r[] = {lo, lo + 4, lo + 4, hi};
    unsigned k = db_pick(b, 3);
    if (k == 0 && b->version >= 3) {
        db_ranges(b, r, 2, base);
    } else {
        db_address(b, 0x11, lo);
        if (k == 1 && b->version >= 4)
            db_number(b, 0x12, hi - lo);
        else
            db_address(b, 0x12, hi);
    }
}

/* ---- entries ---- */
static inline void db_entry(Db *b, unsigned *code, unsigned tag, bool children) {
    *code += 1 + (b->seed % 5 == 0); /* codes with gaps between them */
    db_uleb(b, DWARF_ABBREV, *code);
    db_uleb(b, DWARF_ABBREV, tag);
    db_num(b, DWARF_ABBREV, children, 1);
    db_uleb(b, DWARF_INFO, *code);
}
static inline void db_end(Db *b) { /* of an entry's attributes */
    db_num(b, DWARF_ABBREV, 0, 2);
}

static inline void db_lines(Db *b) {
    DwarfSection s = DWARF_LINE;
    if (b->off == 8) db_num(b, s, 0xffffffff, 4);
    size_t start = b->s[s].n;
    db_num(b, s, 0, b->off);
    unsigned version = b->version;
    db_num(b, s, version, 2);
    if (version >= 5) db_num(b, s, b->addr, 2); /* and no segments */
    size_t header = b->s[s].n;
    db_num(b, s, 0, b->off);
    db_num(b, s, 1, 1);
    if (version >= 4) db_num(b, s, 1, 1);
    db_num(b, s, 1, 1);
    db_num(b, s, (uint8_t)-3, 1);
    db_num(b, s, 12, 1);
    db_num(b, s, 13, 1);
    static const uint8_t lengths[] = {0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1};
    for (unsigned i = 0; i < 12; i++) db_num(b, s, lengths[i], 1);
    unsigned file = 1;
    if (version >= 5) {
        db_num(b, s, 1, 1);
        db_uleb(b, s, 1);
        db_uleb(b, s, 0x08);
        db_uleb(b, s, 2);
        db_str(b, s, "/src");
        db_str(b, s, "lib");
        db_num(b, s, 3, 1);
        db_uleb(b, s, 1);
        db_uleb(b, s, 0x1f);
        db_uleb(b, s, 2);
        db_uleb(b, s, 0x0b);
        db_uleb(b, s, 5);
        db_uleb(b, s, 0x1e);
        db_uleb(b, s, 2);
        for (unsigned i = 0; i < 2; i++) {
            db_num(b, s, b->s[DWARF_LINE_STR].n, b->off);
            db_str(b, DWARF_LINE_STR, i ? "b.c" : "a.c");
            db_num(b, s, i, 1);
            db_num(b, s, 0, 8);
            db_num(b, s, 0, 8);
        }
        file = 0;
    } else {
        db_str(b, s, "lib");
        db_num(b, s, 0, 1);
        db_str(b, s, "a.c");
        db_num(b, s, 0, 3);
        db_str(b, s, "b.c");
        db_num(b, s, 1, 3); /* in lib */
        db_num(b, s, 0, 1);
    }
    db_set(b, s, header, b->s[s].n - header - b->off, b->off);
    static const struct {
        uint8_t addr, line, column, end, other;
    } rows[] = {{0x50, 11, 0, 0, 1}, {0x58, 11, 0, 1, 1}, {0x10, 5, 1, 0, 0},
                {0x20, 2, 9, 0, 0},  {0x30, 8, 0, 0, 0},  {0x40, 8, 0, 1, 0}};
    int line = 1;
    bool fresh = true;
    unsigned addr = 0;
    for (unsigned i = 0; i < 6; i++) {
        unsigned delta = rows[i].addr - addr;
        int step = rows[i].line - line;
        if (fresh) {
            db_num(b, s, 0, 1);
            db_uleb(b, s, 1 + b->addr);
            db_num(b, s, 2, 1);
            db_num(b, s, rows[i].addr, b->addr);
            delta = 0;
            db_num(b, s, 4, 1);
            db_uleb(b, s, file + rows[i].other);
            fresh = false;
        }
        if (rows[i].end) {
            db_num(b, s, 2, 1);
            db_uleb(b, s, delta);
            db_num(b, s, 0x010100, 3);
            fresh = true;
            addr = 0;
            line = 1;
            continue;
        }
        db_num(b, s, 5, 1);
        db_uleb(b, s, rows[i].column);
        if (db_pick(b, 3) == 0) { /* a discriminator and an operation of later versions */
            db_num(b, s, 0, 1);
            db_uleb(b, s, 2);
            db_num(b, s, 0x0304, 2);
            db_num(b, s, 0x090c, 2);
        }
        unsigned k = db_pick(b, 3);
        if (k == 0 && step >= -3 && step < 9 && delta < 18) {
            db_num(b, s, 13 + (unsigned)(step + 3) + 12 * delta, 1);
        } else {
            if (k == 1) {
                db_num(b, s, 9, 1);
                db_num(b, s, delta, 2);
            } else {
                unsigned rest = delta;
                if (rest >= 20) { /* (255 - 13) / 12 */
                    db_num(b, s, 8, 1);
                    rest -= 20;
                }
                db_num(b, s, 2, 1);
                db_uleb(b, s, rest);
            }
            db_num(b, s, 3, 1);
            db_num(b, s, (unsigned)step & 0x7f, 1);
            db_num(b, s, 1, 1);
        }
        addr = rows[i].addr;
        line = rows[i].line;
    }
    db_set(b, s, start, b->s[s].n - start - b->off, b->off);
}

static inline void db_make(Db *b, uint64_t seed) {
    memset(b, 0, sizeof *b);
    b->seed = seed;
    b->version = 2 + db_pick(b, 4);
    b->off = b->version >= 3 && db_pick(b, 3) == 0 ? 8 : 4;
    b->addr = db_pick(b, 2) ? 4 : 8;
    if (b->version >= 5) { /* headers of the tables of indices: their contents do not matter */
        db_num(b, DWARF_STR_OFFSETS, 0, b->off + b->off);
        db_num(b, DWARF_ADDR, 0, b->off + b->off);
        db_num(b, DWARF_RNGLISTS, 0, b->off + b->off + 4);
    }
    DwarfSection s = DWARF_INFO;
    db_num(b, DWARF_STR, 0, 1);
    db_num(b, DWARF_ABBREV, 0, 1 + db_pick(b, 3));
    uint64_t abbrev = b->s[DWARF_ABBREV].n;
    size_t unit = b->s[s].n;
    if (b->off == 8) db_num(b, s, 0xffffffff, 4);
    size_t start = b->s[s].n;
    db_num(b, s, 0, b->off);
    db_num(b, s, b->version, 2);
    if (b->version >= 5) {
        db_num(b, s, 1, 1);
        db_num(b, s, b->addr, 1);
        db_num(b, s, abbrev, b->off);
    } else {
        db_num(b, s, abbrev, b->off);
        db_num(b, s, b->addr, 1);
    }
    unsigned code = 0;
    uint64_t base = db_pick(b, 2) ? 0x10 : 0; /* of the unit */
    db_entry(b, &code, 0x11, true);
    db_text(b, 0x03, "a.c");
    db_text(b, 0x1b, "/src");
    db_offset(b, 0x10, 0);
    if (db_pick(b, 3)) {
        static const uint64_t both[] = {0x10, 0x40, 0x50, 0x58};
        db_address(b, 0x11, base);
        if (b->version >= 3)
            db_ranges(b, both, 2, base);
        else
            db_address(b, 0x12, 0x58);
    } else if (base) {
        db_address(b, 0x11, base);
    }
    if (b->version >= 5) {
        db_offset(b, 0x72, 2 * b->off);
        db_offset(b, 0x73, 2 * b->off);
        db_offset(b, 0x74, 2 * b->off + 4);
    }
    db_end(b);
    db_entry(b, &code, 0x39, true); /* namespace */
    db_text(b, 0x03, "geo");
    db_end(b);
    uint64_t leaf = b->s[s].n - unit;
    db_entry(b, &code, 0x2e, false);
    db_text(b, 0x03, "leaf");
    db_number(b, 0x20, 3);
    db_end(b);
    db_num(b, s, 0, 1);
    db_entry(b, &code, 0x2e, true);
    if (db_pick(b, 2)) {
        db_text(b, 0x03, "main");
        db_pcs(b, 0x10, 0x40, base);
    } else {
        db_pcs(b, 0x10, 0x40, base);
        db_text(b, 0x03, "main");
    }
    db_end(b);
    db_entry(b, &code, 0x0b, true); /* a block */
    db_end(b);
    db_entry(b, &code, 0x1d, true);
    unsigned ref = db_pick(b, 5);
    static const uint8_t refs[] = {0x11, 0x12, 0x13, 0x14};
    if (ref < 4) {
        db_attr(b, 0x31, refs[ref]);
        db_num(b, s, leaf, 1u << ref);
    } else {
        db_attr(b, 0x31, 0x10);
        db_num(b, s, unit + leaf, b->version == 2 ? b->addr : b->off);
    }
    db_pcs(b, 0x20, 0x30, base);
    db_number(b, 0x58, b->version >= 5 ? 0 : 1);
    db_number(b, 0x59, 7);
    db_number(b, 0x57, 3);
    db_end(b);
    db_entry(b, &code, 0x05, false); /* a parameter with a block and a flag */
    db_attr(b, 0x02, b->version >= 4 ? 0x18 : 0x0a);
    db_num(b, s, 0x0003ed03, 4);
    db_attr(b, 0x3f, b->version >= 4 ? 0x19 : 0x0c);
    if (b->version < 4) db_num(b, s, 1, 1);
    db_end(b);
    db_num(b, s, 0, 3); /* ends inlined, block, main */
    db_entry(b, &code, 0x2e, false);
    db_pcs(b, 0x50, 0x58, base);
    db_text(b, 0x03, "other");
    db_end(b);
    db_num(b, s, 0, 1);
    db_num(b, DWARF_ABBREV, 0, 1);
    db_set(b, s, start, b->s[s].n - start - b->off, b->off);
    db_lines(b);
    for (unsigned i = 0; i < DWARF_SECTION_COUNT; i++)
        b->in.s[i] = (DwarfBytes){b->s[i].n ? b->s[i].p : NULL, b->s[i].n};
}
#endif

/* dwarf/nat_type.c — pointers.
 *
 * Problem     A pointer of the module has 4 bytes and counts from the start of its memory. Debuggers know pointers of the process only:
 *             one takes the 4 bytes for an address, the other reads 8.
 * Idea        Each pointer type becomes two. In memory (a part of a structure, an element, what a pointer points to) it is a number of
 *             4 bytes that is called `T *`. The type of variables is a pointer of the process: where a variable is, is told by an
 *             expression anyway, and that adds the memory's address to what it reads. So what a variable points to can be
 *             looked at as usual, and structures have their layout.
 * Cost        a few entries are read for each. */
#include "dwarf/nat_int.h"

enum { MOST_HOPS = 8, MOST_NAME = 200 };

typedef struct Type {
    unsigned tag;
    uint32_t off;
    const DwUnit *u;
    DwValue name, type; /* class of one that is missing: DW_CLASS_NONE */
} Type;

static bool read_type(Nat *k, const DwUnit *u, const DwValue *v, Type *t) {
    memset(t, 0, sizeof *t);
    t->off = dw_value_entry(k->w, u, v, &t->u);
    if (t->off == DW_NONE) return false;
    DwCur c = dw_unit_cursor(k->w, t->u, t->off);
    DwEntry e;
    if (!dw_entry(k->w, t->u, &c, &e) || !e.ab) return false;
    t->tag = e.ab->tag;
    dw_pay(k->w, e.ab->nspecs);
    for (uint32_t i = 0; i < e.ab->nspecs && !c.bad; i++) {
        DwValue x;
        dw_value(k->w, t->u, &c, &k->w->specs.p[e.ab->specs + i], &x);
        if (x.name == DW_AT_NAME) t->name = x;
        if (x.name == DW_AT_TYPE) t->type = x;
    }
    return true;
}

static bool is_qualifier(unsigned tag) {
    return tag == DW_TAG_CONST_TYPE || tag == DW_TAG_VOLATILE_TYPE || tag == DW_TAG_RESTRICT_TYPE ||
           tag == DW_TAG_ATOMIC_TYPE;
}

uint32_t nat_pointer(Nat *k, const DwUnit *u, const DwValue *v) {
    Type t = {.u = u, .type = *v};
    for (unsigned hop = 0; hop < MOST_HOPS; hop++) {
        DwValue next = t.type;
        if (!read_type(k, t.u, &next, &t)) break;
        if (nat_is_pointer(t.tag)) return t.off;
        if (t.tag != DW_TAG_TYPEDEF && !is_qualifier(t.tag)) break;
    }
    return DW_NONE;
}

uint32_t nat_variable_pointer(Nat *k, const DwUnit *u, const DwValue *type, const DwValue *origin) {
    for (unsigned hop = 0; hop < MOST_HOPS && !type && origin; hop++) {
        const DwUnit *of;
        uint32_t off = dw_value_entry(k->w, u, origin, &of);
        if (off == DW_NONE) return DW_NONE;
        DwCur c = dw_unit_cursor(k->w, of, off);
        DwEntry e;
        DwValue found = {0}, from = {0};
        if (!dw_entry(k->w, of, &c, &e) || !e.ab) return DW_NONE;
        dw_pay(k->w, e.ab->nspecs);
        for (uint32_t i = 0; i < e.ab->nspecs && !c.bad; i++) {
            DwValue x;
            dw_value(k->w, of, &c, &k->w->specs.p[e.ab->specs + i], &x);
            if (x.name == DW_AT_TYPE) found = x;
            if (x.name == DW_AT_ABSTRACT_ORIGIN || x.name == DW_AT_SPECIFICATION) from = x;
        }
        if (found.name) return nat_pointer(k, of, &found);
        if (!from.name) return DW_NONE;
        DwValue copy = from;
        return nat_variable_pointer(k, of, NULL, &copy);
    }
    return type ? nat_pointer(k, u, type) : DW_NONE;
}

bool nat_is_function_type(Nat *k, const DwUnit *u, const DwValue *v) {
    Type t;
    return read_type(k, u, v, &t) && t.tag == DW_TAG_SUBROUTINE_TYPE;
}

void nat_type_name(Nat *k, const DwUnit *u, const DwValue *v) {
    char tail[2 * MOST_HOPS + 1];
    unsigned n = sizeof tail;
    Type t = {.u = u};
    DwValue next = v ? *v : (DwValue){0};
    sb_clear(&k->text);
    tail[--n] = 0;
    for (unsigned hop = 0; hop < MOST_HOPS; hop++) {
        if (!next.name) {
            sb_puts(&k->text, "void");
            break;
        }
        if (!read_type(k, t.u, &next, &t)) break;
        DwarfStr s = dw_value_text(k->w, t.u, &t.name);
        if (s.n) {
            if (s.n > MOST_NAME) s.n = MOST_NAME;
            sb_putn(&k->text, s.p, s.n);
            break;
        }
        if (t.tag == DW_TAG_CONST_TYPE) {
            sb_puts(&k->text, "const ");
        } else if (t.tag == DW_TAG_VOLATILE_TYPE) {
            sb_puts(&k->text, "volatile ");
        } else if (nat_is_pointer(t.tag)) {
            tail[--n] = t.tag == DW_TAG_POINTER_TYPE ? '*' : '&';
        } else if (t.tag == DW_TAG_ARRAY_TYPE) {
            tail[--n] = ']';
            tail[--n] = '[';
        } else if (t.tag == DW_TAG_SUBROUTINE_TYPE) {
            sb_puts(&k->text, "function");
            break;
        } else if (!is_qualifier(t.tag)) {
            break;
        }
        next = t.type;
    }
    if (!k->text.n) sb_puts(&k->text, "?");
    if (n + 1 < sizeof tail) sb_putc(&k->text, ' ');
    sb_puts(&k->text, tail + n);
}

/* driver/asm.c — see asm.h.
 *
 * Idea        Two passes of the ISA's decoder. The first notes where branches go, where constants begin (the lowest place further on
 *             in the function that a memory operand names) and where tables of branches lie; the second prints. A table is
 *             recognised by what leads to it: the address of the byte behind an indirect jump has just been taken, and the number
 *             moved to a register before that is its last index. Entries are distances from its start.
 * Invariants  Every byte of the function is printed once, as an instruction or as data. Bytes that are no instruction are data.
 * Cost        two decodings; labels are found by binary search. */
#include "driver/asm.h"
#include <stdlib.h>
#include "base/bisect.h"

enum { TEXT_COLUMN = 43, NOTE_COLUMN = 84, BYTES_MOST = 16 };

typedef struct Table {
    uint64_t at, n; /* entries of 4 bytes */
} Table;

typedef struct Asm {
    Mem *mem;
    const AsmCode *c;
    StrBuf *out;
    VEC(uint64_t) labels; /* sorted, without doubles, after the first pass */
    VEC(Table) tables;    /* sorted by construction */
    uint64_t end, consts; /* of the code; where constants begin, at most that */
} Asm;

static bool inside(const Asm *a, uint64_t at) {
    return at >= a->c->address && at < a->end;
}
static const uint8_t *bytes_at(const Asm *a, uint64_t at) {
    return a->c->bytes + (at - a->c->address);
}
static int32_t entry(const Asm *a, uint64_t at) {
    int32_t x;
    memcpy(&x, bytes_at(a, at), 4);
    return x;
}

/* ---- first pass ---- */
static void add_label(Asm *a, uint64_t at) {
    if (inside(a, at)) vec_push(a->mem, &a->labels, at);
}

/* The last number that was moved to a register is the index of the last entry. */
static uint64_t add_table(Asm *a, uint64_t at, uint64_t entries) {
    if (entries > (a->end - at) / 4) entries = (a->end - at) / 4;
    for (uint64_t k = 0; k < entries; k++)
        add_label(a, at + (uint64_t)(int64_t)entry(a, at + 4 * k));
    add_label(a, at);
    vec_push(a->mem, &a->tables, (Table){at, entries});
    return at + 4 * entries;
}

static uint64_t moved_number(const StrBuf *text) {
    const char *dollar = strchr(text->p, '$');
    return strncmp(text->p, "mov ", 4) == 0 && dollar ? strtoull(dollar + 1, NULL, 0) : UINT64_MAX;
}

/* Does the caller say what the instruction names? Then its bytes may say nothing yet. */
static bool named(Asm *a, uint64_t at, uint64_t end, uint64_t place, StrBuf *scratch) {
    if (!a->c->name) return false;
    uint32_t n = scratch->n;
    bool yes = a->c->name(a->c->user, at, end, place, scratch);
    scratch->n = n;
    return yes;
}

static void survey(Asm *a) {
    StrBuf text;
    sb_init(&text, a->mem);
    uint64_t at = a->c->address, number = UINT64_MAX, taken = 0;
    while (at < a->consts) {
        MachDecoded d;
        sb_clear(&text);
        uint32_t n = a->c->isa->decode(bytes_at(a, at), (size_t)(a->end - at), at, &d, &text);
        if (!n) {
            at++;
            continue;
        }
        if (d.has_target && named(a, at, at + n, d.target, &text)) d.has_target = false;
        at += n;
        uint64_t moved = moved_number(&text);
        if (moved != UINT64_MAX) number = moved;
        if (d.has_target && !d.is_data) add_label(a, d.target);
        if (d.has_target && d.is_data && inside(a, d.target)) {
            if (strncmp(text.p, "lea", 3) == 0)
                taken = d.target;
            else if (d.target < a->consts && d.target >= at)
                a->consts = d.target;
        }
        if (d.flow == MACH_FLOW_JUMP && taken == at && number < UINT32_MAX)
            at = add_table(a, at, number + 1);
    }
    sb_free(&text);
}

static int by_address(const void *x, const void *y) {
    uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;
    return a < b ? -1 : a > b;
}

static void sort_labels(Asm *a) {
    uint32_t n = 0;
    if (a->labels.n) qsort(a->labels.p, a->labels.n, sizeof *a->labels.p, by_address);
    for (uint32_t k = 0; k < a->labels.n; k++)
        if (!n || a->labels.p[n - 1] != a->labels.p[k]) a->labels.p[n++] = a->labels.p[k];
    a->labels.n = n;
}

/* UINT32_MAX: no label. */
static uint32_t label_at(const Asm *a, uint64_t at) {
    uint32_t lo;
    bisect(lo, a->labels.n, a->labels.p[lo] < at);
    return lo < a->labels.n && a->labels.p[lo] == at ? lo : UINT32_MAX;
}

/* ---- second pass ---- */
void asm_note(StrBuf *out) {
    const char *line = out->p + out->n;
    while (line > out->p && line[-1] != '\n') line--;
    if (strstr(line, " ; ")) {
        sb_puts(out, ", ");
    } else {
        sb_pad_to(out, NOTE_COLUMN);
        sb_puts(out, " ; ");
    }
}

/* The instruction from `from` to `to` names a place. */
static void put_place(Asm *a, uint64_t from, uint64_t to, uint64_t at) {
    uint32_t l = label_at(a, at);
    StrBuf *o = a->out;
    if (a->c->name && to > from && a->c->name(a->c->user, from, to, at, o)) return;
    if (l != UINT32_MAX)
        sb_printf(o, "L%u", l);
    else if (inside(a, at) && at >= a->consts)
        sb_printf(o, "const+0x%llx", (unsigned long long)(at - a->consts));
    else
        sb_printf(o, "0x%llx", (unsigned long long)at);
}

static void put_bytes(Asm *a, uint64_t at, uint64_t n) {
    sb_printf(a->out, "%8llx: ", (unsigned long long)at);
    for (uint64_t k = 0; k < n; k++) sb_printf(a->out, " %02x", bytes_at(a, at)[k]);
    sb_puts(a->out, "  ");
    sb_pad_to(a->out, TEXT_COLUMN);
}

static void put_data(Asm *a, uint64_t at, uint64_t end) {
    for (uint64_t n; at < end; at += n) {
        n = end - at < BYTES_MOST ? end - at : BYTES_MOST;
        sb_printf(a->out, "%8llx: ", (unsigned long long)at);
        for (uint64_t k = 0; k < n; k++) sb_printf(a->out, " %02x", bytes_at(a, at)[k]);
        if (a->c->about) a->c->about(a->c->user, at, at + n, a->out);
        sb_putc(a->out, '\n');
    }
}

static void put_table(Asm *a, const Table *t) {
    uint32_t l = label_at(a, t->at);
    sb_printf(a->out, "L%u:\n", l);
    for (uint64_t k = 0; k < t->n; k++) {
        uint64_t at = t->at + 4 * k;
        put_bytes(a, at, 4);
        sb_puts(a->out, ".long  ");
        put_place(a, at, at, t->at + (uint64_t)(int64_t)entry(a, at));
        sb_printf(a->out, " - L%u\n", l);
    }
}

/* Before the constants there are zeros up to a multiple of 16. */
static bool is_padding(const Asm *a, uint64_t at) {
    if (a->consts == a->end || a->consts - at >= 16) return false;
    for (uint64_t k = at; k < a->consts; k++)
        if (*bytes_at(a, k)) return false;
    return true;
}

static uint64_t put_instruction(Asm *a, uint64_t at) {
    StrBuf *o = a->out;
    MachDecoded d;
    uint32_t label = label_at(a, at);
    if (label != UINT32_MAX) sb_printf(o, "L%u:\n", label);
    if (is_padding(a, at)) {
        put_data(a, at, a->consts);
        return a->consts;
    }
    if (a->c->before) a->c->before(a->c->user, at, o);
    StrBuf text;
    sb_init(&text, a->mem);
    uint32_t n = a->c->isa->decode(bytes_at(a, at), (size_t)(a->end - at), at, &d, &text);
    if (n) {
        put_bytes(a, at, n);
        sb_puts(o, text.p);
        if (d.has_target && !d.is_data) put_place(a, at, at + n, d.target);
        if (d.has_target && d.is_data) {
            asm_note(o);
            put_place(a, at, at + n, d.target);
        }
        if (a->c->about) a->c->about(a->c->user, at, at + n, o);
        sb_putc(o, '\n');
    } else {
        put_data(a, at, at + 1);
        n = 1;
    }
    sb_free(&text);
    return at + n;
}

void asm_print(Mem *m, const AsmCode *c, StrBuf *out) {
    Asm a = {.mem = m, .c = c, .out = out};
    a.end = a.consts = c->address + c->size;
    survey(&a);
    sort_labels(&a);
    uint64_t at = c->address;
    uint32_t table = 0;
    while (at < a.consts) {
        if (table < a.tables.n && a.tables.p[table].at == at) {
            const Table *t = &a.tables.p[table++];
            put_table(&a, t);
            at += 4 * t->n;
        } else {
            at = put_instruction(&a, at);
        }
    }
    if (at < a.end) {
        sb_puts(out, "const:\n");
        put_data(&a, at, a.end);
    }
    vec_free(m, &a.labels);
    vec_free(m, &a.tables);
}

/* util.c — memory, symbols and error messages of the rule compiler.
 *
 * One bump arena serves every phase: a run handles some hundred kilobytes of rules and then ends, so
 * nothing is freed early.  Symbols are interned in an open-addressing table; a symbol's entry also
 * carries what the name means (type, term, constant), so look-ups after lexing are array reads.
 * Errors are collected, then printed in the order of their positions, so one run reports everything
 * it can find and the output does not depend on the order of the phases. */
#include "rulec.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_SIZE ((size_t)256 << 10)
#define MAX_PRINTED_ERRORS 200

struct Chunk {
    Chunk *next;
    size_t size;
    max_align_t data[];
};

void *rulec_alloc(Rulec *rc, size_t size) {
    size = (size + 15) & ~(size_t)15;
    if (rc->chunks == NULL || rc->chunks->size - rc->chunk_used < size) {
        size_t want = size > CHUNK_SIZE ? size : CHUNK_SIZE;
        Chunk *c = malloc(sizeof *c + want);
        if (c == NULL) {
            fprintf(stderr, "rulec: out of memory\n");
            exit(2);
        }
        c->next = rc->chunks;
        c->size = want;
        rc->chunks = c;
        rc->chunk_used = 0;
    }
    void *p = (char *)rc->chunks->data + rc->chunk_used;
    rc->chunk_used += size;
    memset(p, 0, size);
    return p;
}

void *rulec_grow(Rulec *rc, void *old, uint32_t n, uint32_t *cap, size_t elem) {
    uint32_t new_cap = *cap == 0 ? 4 : *cap * 2;
    void *p = rulec_alloc(rc, new_cap * elem);
    if (n != 0) memcpy(p, old, n * elem);
    *cap = new_cap;
    return p;
}

void rulec_free(Rulec *rc) {
    while (rc->chunks != NULL) {
        Chunk *next = rc->chunks->next;
        free(rc->chunks);
        rc->chunks = next;
    }
}

static __attribute__((format(printf, 2, 0), nonnull)) char *vformat(Rulec *rc, const char *fmt,
                                                                    va_list ap) {
    va_list ap2;
    va_copy(ap2, ap);
    int len = vsnprintf(NULL, 0, fmt, ap2);
    va_end(ap2);
    char *s = rulec_alloc(rc, (size_t)len + 1);
    vsnprintf(s, (size_t)len + 1, fmt, ap);
    return s;
}

char *rulec_format(Rulec *rc, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    char *s = vformat(rc, fmt, ap);
    va_end(ap);
    return s;
}

static uint32_t hash_bytes(const char *s, size_t len) {
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < len; i++) h = (h ^ (unsigned char)s[i]) * 16777619u;
    return h;
}

static void sym_insert(Rulec *rc, Sym id) {
    const char *s = rc->syms.d[id].str;
    uint32_t mask = rc->sym_hash_cap - 1, i = hash_bytes(s, strlen(s)) & mask;
    while (rc->sym_hash[i] != 0) i = (i + 1) & mask;
    rc->sym_hash[i] = id + 1;
}

Sym rulec_intern(Rulec *rc, const char *s, size_t len) {
    if (rc->syms.n * 2 >= rc->sym_hash_cap) {
        rc->sym_hash_cap = rc->sym_hash_cap == 0 ? 1024 : rc->sym_hash_cap * 2;
        rc->sym_hash = rulec_alloc(rc, rc->sym_hash_cap * sizeof *rc->sym_hash);
        for (Sym i = 0; i < rc->syms.n; i++) sym_insert(rc, i);
    }
    uint32_t mask = rc->sym_hash_cap - 1;
    for (uint32_t i = hash_bytes(s, len) & mask;; i = (i + 1) & mask) {
        uint32_t e = rc->sym_hash[i];
        if (e == 0) break;
        const char *t = rc->syms.d[e - 1].str;
        if (strncmp(t, s, len) == 0 && t[len] == 0) return e - 1;
    }
    char *copy = rulec_alloc(rc, len + 1);
    memcpy(copy, s, len);
    SymInfo info = {copy, NONE, NONE, NONE};
    vec_push(rc, &rc->syms, info);
    sym_insert(rc, rc->syms.n - 1);
    return rc->syms.n - 1;
}

void rulec_error(Rulec *rc, Pos pos, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    Error e = {pos, vformat(rc, fmt, ap)};
    va_end(ap);
    vec_push(rc, &rc->errors, e);
}

static int error_cmp(const void *x, const void *y) {
    const Error *a = x, *b = y;
    if (a->pos.file != b->pos.file) return a->pos.file < b->pos.file ? -1 : 1;
    if (a->pos.line != b->pos.line) return a->pos.line < b->pos.line ? -1 : 1;
    if (a->pos.col != b->pos.col) return a->pos.col < b->pos.col ? -1 : 1;
    return strcmp(a->msg, b->msg);
}

void rulec_print_errors(Rulec *rc, FILE *to) {
    if (rc->errors.n == 0) return;
    qsort(rc->errors.d, rc->errors.n, sizeof *rc->errors.d, error_cmp);
    uint32_t printed = 0, left = 0;
    for (uint32_t i = 0; i < rc->errors.n; i++) {
        const Error *e = &rc->errors.d[i];
        if (i > 0 && error_cmp(e, e - 1) == 0) continue;
        if (printed == MAX_PRINTED_ERRORS) {
            left++;
            continue;
        }
        printed++;
        fprintf(to, "%s:%u:%u: error: %s\n", rc->files.d[e->pos.file], e->pos.line, e->pos.col,
                e->msg);
    }
    if (left != 0) fprintf(to, "rulec: %u more errors\n", left);
}

/* driver/json.c — RFC 8259, strictly, by recursive descent with a depth limit. */
#include <stdlib.h>
#include "driver/json.h"

#define MAX_DEPTH 256

typedef struct P {
    Arena *a;
    const char *s, *p, *end;
    Diag *d;
    unsigned depth;
} P;

static Json *fail(P *p, const char *why) {
    uint32_t line = 1, col = 1;
    for (const char *c = p->s; c < p->p; c++) {
        col++;
        if (*c == '\n') line++, col = 1;
    }
    diag_line(p->d, DIAG_MALFORMED, line, col, "JSON: %s", why);
    return NULL;
}

static void space(P *p) {
    while (p->p < p->end && (*p->p == ' ' || *p->p == '\n' || *p->p == '\t' || *p->p == '\r'))
        p->p++;
}

static bool hex4(P *p, uint32_t *out) {
    *out = 0;
    if (p->end - p->p < 4) return false;
    for (int i = 0; i < 4; i++) {
        char c = *p->p++;
        int v = c >= '0' && c <= '9'   ? c - '0'
                : c >= 'a' && c <= 'f' ? c - 'a' + 10
                : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                       : -1;
        if (v < 0) return false;
        *out = *out << 4 | (uint32_t)v;
    }
    return true;
}

static char *put_utf8(char *o, uint32_t c) {
    if (c < 0x80)
        *o++ = (char)c;
    else if (c < 0x800) {
        *o++ = (char)(0xC0 | c >> 6);
        *o++ = (char)(0x80 | (c & 63));
    } else if (c < 0x10000) {
        *o++ = (char)(0xE0 | c >> 12);
        *o++ = (char)(0x80 | (c >> 6 & 63));
        *o++ = (char)(0x80 | (c & 63));
    } else {
        *o++ = (char)(0xF0 | c >> 18);
        *o++ = (char)(0x80 | (c >> 12 & 63));
        *o++ = (char)(0x80 | (c >> 6 & 63));
        *o++ = (char)(0x80 | (c & 63));
    }
    return o;
}

static bool string(P *p, const char **str, uint32_t *len) {
    const char *q = ++p->p;
    while (q < p->end && *q != '"') q += *q == '\\' ? 2 : 1;
    if (q >= p->end) return fail(p, "string does not end") != NULL;
    char *out = arena_alloc(p->a, (size_t)(q - p->p) + 1, 1), *o = out;
    while (*p->p != '"') {
        if (*p->p != '\\') {
            *o++ = *p->p++;
            continue;
        }
        static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
        char c = p->p[1];
        p->p += 2;
        const char *f = strchr(from, c);
        if (f && c)
            *o++ = to[f - from];
        else if (c == 'u') {
            uint32_t u, low;
            if (!hex4(p, &u)) return fail(p, "bad \\u escape") != NULL;
            if (u >= 0xD800 && u < 0xDC00 && p->end - p->p > 6 && p->p[0] == '\\' &&
                p->p[1] == 'u') {
                p->p += 2;
                if (!hex4(p, &low)) return fail(p, "bad \\u escape") != NULL;
                u = 0x10000 + ((u - 0xD800) << 10) + (low - 0xDC00);
            }
            o = put_utf8(o, u);
        } else
            return fail(p, "bad escape") != NULL;
    }
    p->p++;
    *len = (uint32_t)(o - out);
    *o = 0;
    *str = out;
    return true;
}

static Json *value(P *p);

static Json *container(P *p, Json *j, char close) {
    if (++p->depth > MAX_DEPTH) return fail(p, "nested too deeply");
    p->p++;
    Json **tail = &j->first;
    space(p);
    if (p->p < p->end && *p->p == close)
        p->p++;
    else
        for (;;) {
            const char *key = NULL;
            uint32_t n;
            space(p);
            if (close == '}') {
                if (p->p >= p->end || *p->p != '"') return fail(p, "expected a member name");
                if (!string(p, &key, &n)) return NULL;
                space(p);
                if (p->p >= p->end || *p->p++ != ':') return fail(p, "expected ':'");
            }
            Json *child = value(p);
            if (!child) return NULL;
            child->key = key;
            *tail = child;
            tail = &child->next;
            space(p);
            if (p->p < p->end && *p->p == ',')
                p->p++;
            else if (p->p < p->end && *p->p == close) {
                p->p++;
                break;
            } else
                return fail(p, "expected ',' or the end");
        }
    p->depth--;
    return j;
}

static Json *value(P *p) {
    space(p);
    if (p->p >= p->end) return fail(p, "unexpected end");
    Json *j = arena_zalloc(p->a, sizeof *j, _Alignof(Json));
    static const struct {
        const char *word;
        JsonKind kind;
    } words[] = {{"null", JSON_NULL}, {"true", JSON_TRUE}, {"false", JSON_FALSE}};
    switch (*p->p) {
    case '{': j->kind = JSON_OBJECT; return container(p, j, '}');
    case '[': j->kind = JSON_ARRAY; return container(p, j, ']');
    case '"': j->kind = JSON_STRING; return string(p, &j->str, &j->len) ? j : NULL;
    default: break;
    }
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t n = strlen(words[i].word);
        if ((size_t)(p->end - p->p) >= n && memcmp(p->p, words[i].word, n) == 0) {
            p->p += n;
            j->kind = words[i].kind;
            return j;
        }
    }
    char num[64];
    size_t n = 0;
    while (p->p + n < p->end && n < sizeof num - 1 && p->p[n] && strchr("+-.eE0123456789", p->p[n]))
        n++;
    memcpy(num, p->p, n);
    num[n] = 0;
    char *end;
    j->kind = JSON_NUMBER;
    j->number = strtod(num, &end);
    if (n == 0 || *end) return fail(p, "unexpected character");
    p->p += n;
    return j;
}

Json *json_parse(Arena *a, const char *text, size_t n, Diag *d) {
    P p = {a, text, text, text + n, d, 0};
    Json *j = value(&p);
    if (!j) return NULL;
    space(&p);
    return p.p == p.end ? j : fail(&p, "text after the document");
}

const Json *json_get(const Json *o, const char *key) {
    if (!o || o->kind != JSON_OBJECT) return NULL;
    for (const Json *c = o->first; c; c = c->next)
        if (strcmp(c->key, key) == 0) return c;
    return NULL;
}

const char *json_str(const Json *o, const char *key) {
    const Json *j = json_get(o, key);
    return j && j->kind == JSON_STRING ? j->str : NULL;
}

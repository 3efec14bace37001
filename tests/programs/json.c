/* A JSON parser and printer: values in a tree, errors with positions, canonical printing, queries by path. */
#include "prog.h"
#include <math.h>

typedef enum { NUL, FALSE_, TRUE_, NUMBER, STRING, ARRAY, OBJECT } Kind;
typedef struct Value { Kind kind; double number; char *text; struct Value *first, *next; char *key; int count; } Value;
typedef struct { const char *s, *at; const char *error; int depth; } Parser;
static int made;
static Value *value(Kind k) { Value *v = calloc(1, sizeof *v); v->kind = k; made++; return v; }
static void drop(Value *v) {
    while (v) {
        Value *next = v->next;
        drop(v->first);
        free(v->text), free(v->key), free(v), made--;
        v = next;
    }
}
static void space(Parser *p) { while (*p->at == ' ' || *p->at == '\n' || *p->at == '\t' || *p->at == '\r') p->at++; }
static void *error(Parser *p, const char *what) { if (!p->error) p->error = what; return NULL; }
static void utf8(char **o, uint32_t c) {
    if (c < 0x80) *(*o)++ = (char)c;
    else if (c < 0x800) *(*o)++ = (char)(0xc0 | c >> 6), *(*o)++ = (char)(0x80 | (c & 63));
    else if (c < 0x10000) *(*o)++ = (char)(0xe0 | c >> 12), *(*o)++ = (char)(0x80 | (c >> 6 & 63)), *(*o)++ = (char)(0x80 | (c & 63));
    else *(*o)++ = (char)(0xf0 | c >> 18), *(*o)++ = (char)(0x80 | (c >> 12 & 63)), *(*o)++ = (char)(0x80 | (c >> 6 & 63)), *(*o)++ = (char)(0x80 | (c & 63));
}
static int hex4(Parser *p, uint32_t *out) {
    *out = 0;
    for (int i = 0; i < 4; i++) {
        char c = *p->at++;
        int d = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
        if (d < 0) { p->at--; return 0; }
        *out = *out * 16 + (uint32_t)d;
    }
    return 1;
}
static char *string(Parser *p) {
    if (*p->at != '"') return error(p, "string expected");
    const char *end = ++p->at;
    while (*end && *end != '"') end += *end == '\\' && end[1] ? 2 : 1;
    char *out = malloc((size_t)(end - p->at) + 8), *o = out;
    while (*p->at != '"') {
        unsigned char c = (unsigned char)*p->at++;
        if (c < 32) { p->at--; free(out); return error(p, c ? "control character" : "unterminated string"); }
        if (c != '\\') { *o++ = (char)c; continue; }
        switch (c = (unsigned char)*p->at++) {
        case 'n': *o++ = '\n'; break;
        case 't': *o++ = '\t'; break;
        case 'r': *o++ = '\r'; break;
        case 'b': *o++ = '\b'; break;
        case 'f': *o++ = '\f'; break;
        case '"': case '\\': case '/': *o++ = (char)c; break;
        case 'u': {
            uint32_t u, low;
            if (!hex4(p, &u)) { free(out); return error(p, "bad \\u"); }
            if (u >= 0xd800 && u < 0xdc00) {
                if (p->at[0] != '\\' || p->at[1] != 'u' || (p->at += 2, !hex4(p, &low)) || low < 0xdc00 || low > 0xdfff) { free(out); return error(p, "lone surrogate"); }
                u = 0x10000 + ((u - 0xd800) << 10) + (low - 0xdc00);
            }
            utf8(&o, u);
            break;
        }
        default: p->at--; free(out); return error(p, "bad escape");
        }
    }
    p->at++;
    *o = 0;
    return out;
}
static Value *parse(Parser *p) {
    space(p);
    if (++p->depth > 60) return error(p, "too deep");
    Value *v = NULL;
    char close = 0;
    switch (*p->at) {
    case 'n': if (!strncmp(p->at, "null", 4)) p->at += 4, v = value(NUL); break;
    case 't': if (!strncmp(p->at, "true", 4)) p->at += 4, v = value(TRUE_); break;
    case 'f': if (!strncmp(p->at, "false", 5)) p->at += 5, v = value(FALSE_); break;
    case '"': { char *s = string(p); if (s) v = value(STRING), v->text = s; break; }
    case '[': close = ']'; v = value(ARRAY); break;
    case '{': close = '}'; v = value(OBJECT); break;
    case '-': case '0': case '1': case '2': case '3': case '4': case '5': case '6': case '7': case '8': case '9': {
        const char *d = p->at + (*p->at == '-');
        if (*d < '0' || *d > '9' || (*d == '0' && d[1] >= '0' && d[1] <= '9')) return error(p, "bad number");
        char *end;
        v = value(NUMBER), v->number = strtod(p->at, &end), p->at = end;
        break;
    }
    }
    if (!v) return error(p, *p->at ? "unexpected character" : "unexpected end");
    if (close) {
        Value **tail = &v->first;
        p->at++, space(p);
        while (*p->at != close) {
            char *key = NULL;
            if (close == '}') {
                space(p);
                if (!(key = string(p))) { drop(v); return NULL; }
                space(p);
                if (*p->at != ':') { free(key), drop(v); return error(p, "':' expected"); }
                p->at++;
            }
            Value *e = parse(p);
            if (!e) { free(key), drop(v); return NULL; }
            e->key = key, *tail = e, tail = &e->next, v->count++;
            space(p);
            if (*p->at == ',') { p->at++; space(p); if (*p->at == close) { drop(v); return error(p, "value expected"); } }
            else if (*p->at != close) { drop(v); return error(p, "',' expected"); }
        }
        p->at++;
    }
    p->depth--;
    return v;
}
static void quote(const char *s, char **o) {
    *(*o)++ = '"';
    for (; *s; s++)
        if (*s == '"' || *s == '\\') *(*o)++ = '\\', *(*o)++ = *s;
        else if ((unsigned char)*s < 32) *o += sprintf(*o, "\\u%04x", *s);
        else *(*o)++ = *s;
    *(*o)++ = '"';
}
static void print(const Value *v, char **o) {
    static const char *const words[] = {"null", "false", "true"};
    switch (v->kind) {
    case NUL: case FALSE_: case TRUE_: *o += sprintf(*o, "%s", words[v->kind]); break;
    case NUMBER:
        if (v->number == floor(v->number) && fabs(v->number) < 1e15) *o += sprintf(*o, "%.0f", v->number);
        else *o += sprintf(*o, "%.17g", v->number);
        break;
    case STRING: quote(v->text, o); break;
    case ARRAY: case OBJECT:
        *(*o)++ = v->kind == ARRAY ? '[' : '{';
        for (const Value *e = v->first; e; e = e->next) {
            if (e->key) quote(e->key, o), *(*o)++ = ':';
            print(e, o);
            if (e->next) *(*o)++ = ',';
        }
        *(*o)++ = v->kind == ARRAY ? ']' : '}';
    }
    **o = 0;
}
static const Value *query(const Value *v, const char *path) {
    while (v && *path) {
        char part[32];
        size_t n = strcspn(path, "/");
        memcpy(part, path, n), part[n] = 0;
        path += n + (path[n] == '/');
        const Value *e = v->first;
        if (v->kind == ARRAY) for (int i = atoi(part); e && i > 0; i--) e = e->next;
        else while (e && strcmp(e->key, part)) e = e->next;
        v = e;
    }
    return v;
}
static char out[1 << 16], again[1 << 16];
static char *generate(char *o, int depth) {
    switch (rnd_below(depth > 5 ? 5 : 8)) {
    case 0: return o + sprintf(o, "null");
    case 1: return o + sprintf(o, "%s", rnd() & 8 ? "true" : "false");
    case 2: return o + sprintf(o, "%d", (int)rnd_below(100000) - 50000);
    case 3: return o + sprintf(o, "%.17g", ((double)(int64_t)rnd()) / 1e7);
    case 4: return o + sprintf(o, "\"s\\u00%02x\\n%u\"", 0x41 + rnd_below(20), 7u);
    case 5: case 6: {
        int n = (int)rnd_below(5);
        *o++ = '[';
        for (int i = 0; i < n; i++) { if (i) *o++ = ','; *o++ = ' '; o = generate(o, depth + 1); }
        *o++ = ']';
        return o;
    }
    default: {
        int n = (int)rnd_below(4);
        *o++ = '{';
        for (int i = 0; i < n; i++) { if (i) *o++ = ','; o += sprintf(o, "\"k%d\" :", i); o = generate(o, depth + 1); }
        *o++ = '}';
        return o;
    }
    }
}

int main(void) {
    static const char *const inputs[] = {"null", " [1, 2.5, -3e2, 0.1] ", "{\"a\": {\"b\": [true, false, {\"c\": \"\\u00e9\\ud83d\\ude00\\n\"}]}}", "[", "[1,]", "{\"a\" 1}", "\"abc", "01", "-",
        "[1 2]", "\"\\ud800x\"", "tru", "{\"a\":1,}", "[[[[[[]]]]]]", "1e308", "1e-400", "\"\\x\"", "{}", "[\"tab\t\"]", "123456789012345680000", "-0"};
    for (int i = 0; i < COUNT(inputs); i++) {
        Parser p = {inputs[i], inputs[i], NULL, 0};
        Value *v = parse(&p);
        if (v && (space(&p), *p.at)) drop(v), v = error(&p, "trailing text");
        if (!v) { printf("%s at %d\n", p.error, (int)(p.at - p.s)); continue; }
        char *o = out;
        print(v, &o);
        printf("%s\n", out);
        const Value *q = query(v, "a/b/2/c");
        if (q) printf("found %s", q->text);
        drop(v);
    }
    int bad = 0;
    for (int i = 0; i < 400; i++) {
        static char source[1 << 16];
        *generate(source, 0) = 0;
        Parser p = {source, source, NULL, 0};
        Value *v = parse(&p);
        if (!v) { bad++; continue; }
        char *o = out;
        print(v, &o);
        mix_text(out);
        Parser p2 = {out, out, NULL, 0};
        Value *w = parse(&p2);
        o = again;
        if (w) print(w, &o);
        bad += !w || strcmp(out, again);
        drop(v), drop(w);
    }
    show("json");
    printf("bad %d left %d\n", bad, made);
    return bad;
}

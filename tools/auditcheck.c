/* tools/auditcheck.c — audit/ speaks about what is there, and about all of it.
 *
 * usage: auditcheck [ROOT] [--inventory FILE]     (or COT_INVENTORY=FILE); exit 1 and one line per finding
 *
 * Problem  Documents that map the reference to this project rot silently.
 * Rules    1. Each folder of src/ (and tools/) has its document: isa/x64 -> audit/isa-x64.md; each source file (.c .h
 *             .def .isle) of the folder is named there in backticks, by name or path. README.md is free; a document of
 *             no folder is an error.
 *          2. In backticks, outside the first column of a mapping table: an identifier, or an identifier before "(",
 *             is a word of our sources (src include tools tests bench scripts cmake); a trailing * makes it a
 *             prefix; a path is a file of ours. Names with ::, paths that end in .rs, and anything else with other
 *             punctuation belong to the reference and are not ours to check.
 *          3. A mapping table has the header `| reference item | … |`; each row says ported, merged or left out.
 *          4. Each item of the inventory whose file a document names (in backticks, a path ending in .rs, in or before
 *             the table) is in the first column of some row: by name, by `Type::*`, by `Type::{a, b}`, or by
 *             `path/of/file.rs::*`, meaning all that this file has and no other row names.
 *          5. audit/README.md has a paragraph that begins with "Finished:" and names folders of the reference in backticks. An item of
 *             a file below one of them must be covered even if no document names its file.
 * Cost     one pass over sources and documents, hash lookups.
 */
#include <ctype.h>

#include "base/hashmap.h"
#include "tree.h"

typedef struct Names {
    HashMap map;
} Names; /* a set of strings by 64-bit hash */

typedef struct Audit {
    Mem mem;
    Arena a;
    const char *root;
    Names words;                        /* identifiers in our sources */
    Names files;                        /* paths from root, from src/, and bare names */
    Names rows;                         /* reference items covered: names, "T::*", "file.rs::*" */
    Names ref_files;                    /* reference files named by documents */
    Paths sources, all_words, finished; /* finished: folders of the reference */
    int findings;
} Audit;

static void names_add(Audit *u, Names *n, const char *s, size_t len) {
    hashmap_set(&u->mem, &n->map, hash_bytes(s, len, 0), 1);
}
static bool names_has(const Names *n, const char *s, size_t len) {
    return hashmap_find(&n->map, hash_bytes(s, len, 0)) != NULL;
}

static void finding(Audit *u, const char *doc, int line, const char *what, const char *name,
                    size_t len) {
    printf("%s:%d: %s: %.*s\n", doc, line, what, (int)len, name);
    u->findings++;
}

static bool word_char(char c) {
    return isalnum((unsigned char)c) || c == '_';
}

static size_t word_len(const char *s) {
    size_t n = 0;
    if (!isdigit((unsigned char)*s))
        while (word_char(s[n])) n++;
    return n;
}

/* ---- our sources ---- */

static void learn_words(Audit *u, const char *text) {
    for (const char *s = text; *s;) {
        size_t n = 0;
        while (word_char(s[n])) n++;
        if (n && !names_has(&u->words, s, n)) {
            names_add(u, &u->words, s, n);
            vec_push(&u->mem, &u->all_words, arena_strndup(&u->a, s, n));
        }
        s += n ? n : 1;
    }
}

static void learn_sources(Audit *u) {
    static const char *const folders[] = {"src",     "include", "tools", "tests",   "bench",
                                          "scripts", "cmake",   "docs",  "examples"};
    for (size_t k = 0; k < sizeof folders / sizeof *folders; k++) {
        Paths files = {0};
        tree_files(&u->a, u->root, folders[k], &files);
        for (uint32_t i = 0; i < files.n; i++) {
            const char *p = files.p[i], *base = strrchr(p, '/') + 1;
            names_add(u, &u->files, p, strlen(p));
            names_add(u, &u->files, base, strlen(base));
            if (k == 0) names_add(u, &u->files, p + 4, strlen(p + 4));
            if (!tree_has_ext(p, ".c .h .def .isle .py .sh .cmake .txt .clif .inc") &&
                strchr(base, '.'))
                continue;
            char *text = tree_read(&u->a, tree_join(&u->a, u->root, p));
            if (text && k != 7) learn_words(u, text);
            if ((k == 0 || k == 2) && tree_has_ext(p, ".c .h .def .isle"))
                vec_push(&u->mem, &u->sources, files.p[i]);
        }
        vec_free(&u->mem, &files);
    }
}

/* src/isa/x64/emit.c -> audit/isa-x64.md; tools/rulec/x.c -> audit/rulec.md; tools/x.c -> audit/tools.md */
static const char *document_of(Audit *u, const char *source) {
    if (!strncmp(source, "tools/", 6)) {
        if (!strchr(source + 6, '/')) return "audit/tools.md";
        source += 2; /* the folder below tools/ */
    }
    const char *folder = source + 4, *slash = strrchr(folder, '/');
    size_t n = slash ? (size_t)(slash - folder) : 0;
    char *doc = arena_alloc(&u->a, n + 16, 1);
    sprintf(doc, "audit/%.*s.md", (int)n, folder);
    for (char *s = doc + 6; *s; s++)
        if (*s == '/') *s = '-';
    return doc;
}

/* ---- documents ---- */

static bool is_prefix_of_word(const Audit *u, const char *s, size_t n) {
    for (uint32_t i = 0; i < u->all_words.n; i++)
        if (!strncmp(u->all_words.p[i], s, n)) return true;
    return false;
}

/* A reference item in a first column: Name, Type::*, Type::{a, b}, file.rs::* */
static void learn_row(Audit *u, const char *s, size_t n) {
    const char *open = memchr(s, '{', n);
    if (!open) {
        names_add(u, &u->rows, s, n);
        return;
    }
    size_t head = (size_t)(open - s);
    const char *end = s + n;
    for (const char *p = open + 1; p < end && *p != '}';) {
        while (p < end && (*p == ' ' || *p == ',')) p++;
        size_t k = 0;
        while (p + k < end && word_char(p[k])) k++;
        if (!k) break;
        char *name = arena_alloc(&u->a, head + k + 1, 1);
        memcpy(name, s, head);
        memcpy(name + head, p, k);
        names_add(u, &u->rows, name, head + k);
        p += k;
    }
}

static bool ends_in(const char *s, size_t n, const char *tail) {
    size_t k = strlen(tail);
    return n >= k && !memcmp(s + n - k, tail, k);
}

/* One `token` of a document. */
static void check_token(Audit *u, const char *doc, int line, const char *s, size_t n,
                        bool reference) {
    if (ends_in(s, n, ".rs")) {
        names_add(u, &u->ref_files, s, n);
        return;
    }
    if (reference) {
        learn_row(u, s, n);
        return;
    }
    if (n >= 2 && memmem(s, n, "::", 2)) return;
    size_t w = word_len(s);
    if (w == n || (w && s[w] == '(')) {
        if (!names_has(&u->words, s, w) && !names_has(&u->files, s, n))
            finding(u, doc, line, "no such name in the sources", s, w);
        return;
    }
    if (w && w == n - 1 && s[w] == '*') {
        if (!is_prefix_of_word(u, s, w))
            finding(u, doc, line, "no name in the sources begins with", s, w);
        return;
    }
    /* a path of ours: only name characters, / . and -, with an extension */
    const char *dot = NULL;
    for (size_t i = 0; i < n; i++) {
        if (!word_char(s[i]) && !strchr("/.-", s[i])) return;
        if (s[i] == '.') dot = s + i;
    }
    if (!dot) return;
    char *path = arena_strndup(&u->a, s, n);
    if (!tree_has_ext(path, ".c .h .def .isle .py .sh .cmake .md .clif .txt .inc")) return;
    struct stat st;
    if (!names_has(&u->files, s, n) && stat(tree_join(&u->a, u->root, path), &st) != 0 &&
        stat(tree_join(&u->a, tree_join(&u->a, u->root, "audit"), path), &st) != 0)
        finding(u, doc, line, "no such file", s, n);
}

static bool line_has(const char *s, size_t n, const char *word) {
    size_t k = strlen(word);
    for (size_t i = 0; i + k <= n; i++) {
        size_t j = 0;
        while (j < k && tolower((unsigned char)s[i + j]) == word[j]) j++;
        if (j == k) return true;
    }
    return false;
}

static void check_document(Audit *u, const char *doc, Names *named) {
    const char *text = tree_read(&u->a, tree_join(&u->a, u->root, doc));
    bool mapping = false, fenced = false;
    int line = 1;
    for (const char *s = text; s && *s; line++) {
        size_t n = strcspn(s, "\n");
        bool row = *s == '|';
        if (n >= 3 && !memcmp(s, "```", 3))
            fenced = !fenced;
        else if (!fenced) {
            bool header = row && !mapping && line_has(s, n, "reference item");
            if (!row) mapping = false;
            if (header) mapping = true;
            bool rule = row && n > 2 && (s[1] == '-' || s[2] == '-' || s[1] == ':');
            const char *first_end = s;
            if (row && mapping) {
                const char *bar = memchr(s + 1, '|', n - 1);
                if (bar) first_end = bar;
                if (!header && !rule && bar) {
                    size_t rest = n - (size_t)(bar - s);
                    if (!line_has(bar, rest, "ported") && !line_has(bar, rest, "merged") &&
                        !line_has(bar, rest, "left out"))
                        finding(u, doc, line, "the row says none of ported, merged, left out", s,
                                n < 60 ? n : 60);
                }
            }
            for (const char *p = s; p < s + n;) {
                const char *open = memchr(p, '`', (size_t)(s + n - p));
                if (!open) break;
                const char *close = memchr(open + 1, '`', (size_t)(s + n - open - 1));
                if (!close) break;
                size_t len = (size_t)(close - open - 1);
                names_add(u, named, open + 1, len);
                if (len) check_token(u, doc, line, open + 1, len, open < first_end);
                p = close + 1;
            }
        }
        s += n;
        s += *s == '\n';
    }
}

/* The folders that the paragraph "Finished:" of audit/README.md names. */
static void learn_finished(Audit *u) {
    const char *text = tree_read(&u->a, tree_join(&u->a, u->root, "audit/README.md"));
    const char *s = text ? strstr(text, "\nFinished:") : NULL, *end = s ? strstr(s, "\n\n") : NULL;
    if (s && !end) end = s + strlen(s);
    while (s && s < end) {
        const char *open = memchr(s, '`', (size_t)(end - s));
        const char *close = open ? memchr(open + 1, '`', (size_t)(end - open - 1)) : NULL;
        if (!close) return;
        vec_push(&u->mem, &u->finished, arena_strndup(&u->a, open + 1, (size_t)(close - open - 1)));
        s = close + 1;
    }
}

static bool is_finished(const Audit *u, const char *file, size_t n) {
    for (uint32_t k = 0; k < u->finished.n; k++) {
        size_t len = strlen(u->finished.p[k]);
        if (n > len && !memcmp(file, u->finished.p[k], len) && file[len] == '/') return true;
    }
    return false;
}

/* ---- the inventory ---- */

static int check_inventory(Audit *u, const char *path) {
    char *text = tree_read(&u->a, path);
    int items = 0, not_yet = 0;
    if (!text) {
        printf("%s: cannot be read\n", path);
        u->findings++;
        return 0;
    }
    for (char *s = text; *s;) {
        size_t n = strcspn(s, "\n");
        char *kind = memchr(s, '\t', n),
             *name = kind ? memchr(kind + 1, '\t', n - (size_t)(kind + 1 - s)) : NULL;
        if (*s != '#' && name) {
            size_t flen = (size_t)(kind - s), len = (size_t)(s + n - ++name);
            bool asked = names_has(&u->ref_files, s, flen) || is_finished(u, s, flen);
            not_yet += !asked;
            if (asked) {
                items++;
                char *all = arena_alloc(&u->a, flen + len + 8, 1);
                size_t k = (size_t)sprintf(all, "%.*s::*", (int)flen, s);
                bool ok = names_has(&u->rows, name, len) || names_has(&u->rows, all, k);
                char *colon = ok ? NULL : memmem(name, len, "::", 2);
                if (colon) {
                    k = (size_t)sprintf(all, "%.*s::*", (int)(colon - name), name);
                    ok = names_has(&u->rows, all, k);
                }
                if (!ok)
                    finding(u, arena_strndup(&u->a, s, flen), 1, "no document covers", name, len);
            }
        }
        s += n;
        s += *s == '\n';
    }
    if (not_yet) printf("auditcheck: %d items are of files that no document names yet\n", not_yet);
    return items;
}

int main(int argc, char **argv) {
    Audit *u = &(Audit){.root = "."};
    const char *inventory = getenv("COT_INVENTORY");
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--inventory") && i + 1 < argc)
            inventory = argv[++i];
        else
            u->root = argv[i];
    }
    mem_init(&u->mem, NULL);
    arena_init(&u->a, &u->mem);
    learn_sources(u);

    Paths docs = {0};
    Names owners = {0}, named = {0};
    tree_files(&u->a, u->root, "audit", &docs);
    for (uint32_t i = 0; i < u->sources.n; i++) {
        const char *d = document_of(u, u->sources.p[i]);
        names_add(u, &owners, d, strlen(d));
    }
    for (uint32_t i = 0; i < docs.n; i++) {
        const char *d = docs.p[i];
        if (!tree_has_ext(d, ".md") || !strcmp(d, "audit/README.md")) continue;
        if (!names_has(&owners, d, strlen(d)))
            finding(u, d, 1, "a document of no source folder", d, strlen(d));
        hashmap_clear(&named.map);
        check_document(u, d, &named);
        for (uint32_t k = 0; k < u->sources.n; k++) {
            const char *src = u->sources.p[k], *base = strrchr(src, '/') + 1;
            if (strcmp(document_of(u, src), d)) continue;
            size_t skip = strncmp(src, "src/", 4) ? 6 : 4; /* also without src/ or tools/ */
            if (!names_has(&named, base, strlen(base)) && !names_has(&named, src, strlen(src)) &&
                !names_has(&named, src + skip, strlen(src + skip)))
                finding(u, d, 1, "does not name", src, strlen(src));
        }
    }
    Names said = {0};
    for (uint32_t i = 0; i < u->sources.n; i++) {
        const char *d = document_of(u, u->sources.p[i]);
        struct stat st;
        if (names_has(&said, d, strlen(d)) || stat(tree_join(&u->a, u->root, d), &st) == 0)
            continue;
        names_add(u, &said, d, strlen(d));
        finding(u, d, 1, "missing, and wanted for", u->sources.p[i], strlen(u->sources.p[i]));
    }
    int items = 0;
    learn_finished(u);
    if (inventory && *inventory)
        items = check_inventory(u, inventory);
    else
        printf("auditcheck: no inventory named (COT_INVENTORY or --inventory): items of the "
               "reference are not checked\n");
    printf("auditcheck: %u documents, %u source files, %d inventory items, %d findings\n", docs.n,
           u->sources.n, items, u->findings);
    vec_free(&u->mem, &docs);
    vec_free(&u->mem, &u->sources);
    vec_free(&u->mem, &u->all_words);
    vec_free(&u->mem, &u->finished);
    Names *all[] = {&owners, &named, &said, &u->words, &u->files, &u->rows, &u->ref_files};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) hashmap_free(&u->mem, &all[i]->map);
    arena_destroy(&u->a);
    return u->findings != 0;
}

/* tools/tree.h — what the checkers share: the files below a folder, in name order, and their text. */
#ifndef COT_TOOLS_TREE_H
#define COT_TOOLS_TREE_H
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/vec.h"

VEC_TYPEDEF(Paths, char *);

static inline char *tree_join(Arena *a, const char *dir, const char *name) {
    size_t n = strlen(dir), k = strlen(name);
    char *p = arena_alloc(a, n + k + 2, 1);
    memcpy(p, dir, n);
    size_t at = n;
    if (n && dir[n - 1] != '/') p[at++] = '/';
    memcpy(p + at, name, k + 1);
    return p;
}

static inline int tree_compare(const void *x, const void *y) {
    return strcmp(*(char *const *)x, *(char *const *)y);
}

/* Paths (relative to root) of all regular files under root/sub, sorted; nothing if the folder is absent. Links are not
 * followed: they may lead anywhere. */
static inline void tree_files(Arena *a, const char *root, const char *sub, Paths *out) {
    Paths dirs = {0};
    vec_push(a->mem, &dirs, arena_strndup(a, sub, strlen(sub)));
    uint32_t first = out->n;
    while (dirs.n) {
        char *rel = vec_pop(&dirs);
        DIR *d = opendir(*rel ? tree_join(a, root, rel) : root);
        if (!d) continue;
        for (struct dirent *e; (e = readdir(d));) {
            if (e->d_name[0] == '.' || !strcmp(e->d_name, "__pycache__")) continue;
            char *path = *rel ? tree_join(a, rel, e->d_name)
                              : arena_strndup(a, e->d_name, strlen(e->d_name));
            struct stat st;
            if (lstat(tree_join(a, root, path), &st) != 0) continue;
            if (S_ISDIR(st.st_mode))
                vec_push(a->mem, &dirs, path);
            else if (S_ISREG(st.st_mode))
                vec_push(a->mem, out, path);
        }
        closedir(d);
    }
    vec_free(a->mem, &dirs);
    if (out->n > first) qsort(out->p + first, out->n - first, sizeof *out->p, tree_compare);
}

/* The whole file with a NUL behind it; NULL if it cannot be read. */
static inline char *tree_read(Arena *a, const char *path) {
    FILE *f = fopen(path, "rb");
    if (!f) return NULL;
    fseek(f, 0, SEEK_END);
    long n = ftell(f);
    rewind(f);
    char *text = NULL;
    if (n >= 0) {
        text = arena_alloc(a, (size_t)n + 1, 1);
        text[fread(text, 1, (size_t)n, f)] = 0;
    }
    fclose(f);
    return text;
}

static inline int tree_has_ext(const char *path, const char *exts /* ".c .h" */) {
    const char *dot = strrchr(path, '.');
    if (!dot || strchr(dot, '/')) return 0;
    size_t n = strlen(dot);
    for (const char *e = exts; *e;) {
        size_t k = strcspn(e, " ");
        if (k == n && !memcmp(e, dot, n)) return 1;
        e += k;
        e += strspn(e, " ");
    }
    return 0;
}
#endif

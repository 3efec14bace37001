/* tools/depcheck.c — includes go downwards.
 *
 * usage: depcheck [ROOT]      checks ROOT/src (default: the working directory); exit 1 and one line per violation
 *
 * Every folder of src/ has a layer number. A file may include its own folder and folders of a lower layer, written
 * from src/. On top of that: the runtime is known to compiler/ and what is above it only; an ISA folder is named by the registry (src/isa/) only and sees neither wasm nor other
 * ISAs; X_int.h is for its own folder; public headers are for api, rtapi and driver; core folders use the headers of ISO C
 * and nothing else of the system; a .c file is never included.
 */
#include "tree.h"

typedef enum Need { CORE /* ISO C only */, HOST /* may use the operating system */ } Need;
typedef struct Folder {
    const char *name;
    int layer;
    Need need;
} Folder;

static const Folder folders[] = {
    {"base", 0, CORE},     {"dwarf", 1, CORE},       {"image", 1, CORE},     {"runtime", 2, HOST},
    {"rtapi", 3, HOST},    {"exe", 3, HOST},         {"rtlib", 4, HOST},     {"clif", 5, CORE},
    {"regalloc", 5, CORE}, {"analysis", 6, CORE},    {"sem", 6, CORE},       {"verify", 7, CORE},
    {"interp", 7, CORE},   {"opt", 7, CORE},         {"mach", 8, CORE},      {"wasm", 8, CORE},
    {"isa/x64", 9, CORE},  {"isa/aarch64", 9, CORE}, {"isa", 10, CORE},      {"module", 11, HOST},
    {"object", 12, CORE},  {"jit", 13, HOST},        {"compiler", 14, HOST}, {"filetest", 15, HOST},
    {"api", 16, HOST},     {"driver", 17, HOST},
};
enum { N_FOLDERS = sizeof folders / sizeof *folders };

static const char *const iso_headers = " assert ctype errno fenv float inttypes limits math setjmp "
                                       "stdalign stdarg stdatomic stdbool stddef stdint "
                                       "stdio stdlib stdnoreturn string time ";

static int violations;

static void complain(const char *file, int line, const char *what, const char *why) {
    printf("%s:%d: includes %s: %s\n", file, line, what, why);
    violations++;
}

static const Folder *folder_named(const char *name, size_t n) {
    for (int i = 0; i < N_FOLDERS; i++)
        if (strlen(folders[i].name) == n && !memcmp(folders[i].name, name, n)) return &folders[i];
    return NULL;
}

static const Folder *folder_of(const char *path) { /* path from src/, with the file name */
    const char *slash = strrchr(path, '/');
    return slash ? folder_named(path, (size_t)(slash - path)) : NULL;
}

static int ends_with(const char *s, const char *tail) {
    size_t n = strlen(s), k = strlen(tail);
    return n >= k && !strcmp(s + n - k, tail);
}

static int is_rt(const Folder *f) {
    return !strncmp(f->name, "rt", 2) || !strcmp(f->name, "exe");
}

static int is_isa(const Folder *f) {
    return !strncmp(f->name, "isa/", 4);
}

static void check_quoted(const char *file, int line, const Folder *from, const char *inc) {
    if (!strncmp(inc, "cot/", 4) || !strcmp(inc, "wasm.h")) {
        if (from->layer < folder_named("api", 3)->layer && !is_rt(from))
            complain(file, line, inc, "public headers are for api, rtapi and driver");
        return;
    }
    if (ends_with(inc, ".c")) complain(file, line, inc, "a source file is not a header");
    const Folder *to = folder_of(inc);
    if (!to) {
        complain(file, line, inc, "not a folder of src/ (write includes from src/)");
        return;
    }
    if (to == from) return;
    if (ends_with(inc, "_int.h")) complain(file, line, inc, "internal header of another folder");
    if (to->layer >= from->layer)
        complain(file, line, inc,
                 to->layer == from->layer ? "a folder of the same layer" : "upward");
    else if ((!strcmp(to->name, "runtime") || is_rt(to)) && !is_rt(from) &&
             from->layer < folder_named("compiler", 8)->layer)
        complain(file, line, inc, "code is generated without a runtime");
    else if (is_isa(to) && strcmp(from->name, "isa"))
        complain(file, line, inc, "an ISA is known to the registry only");
    else if (is_isa(from) && !strcmp(to->name, "wasm"))
        complain(file, line, inc, "an ISA does not know Wasm");
}

static void check_system(const char *file, int line, const Folder *from, const char *inc) {
    if (from->need == HOST) return;
    char word[64];
    size_t n = strlen(inc);
    if (n > 2 && n < 60 && ends_with(inc, ".h")) {
        snprintf(word, sizeof word, " %.*s ", (int)(n - 2), inc);
        if (strstr(iso_headers, word)) return;
    }
    complain(file, line, inc, "the core uses ISO C headers only");
}

static void check_file(Arena *a, const char *root, const char *path) {
    const Folder *from = folder_of(path + 4); /* behind "src/" */
    if (!from) {
        printf("%s:1: this folder has no layer (see tools/depcheck.c)\n", path);
        violations++;
        return;
    }
    char *text = tree_read(a, tree_join(a, root, path));
    int line = 1;
    for (char *s = text; s && *s; line++) {
        char *end = s + strcspn(s, "\n");
        s += strspn(s, " \t");
        if (*s == '#') {
            s++;
            s += strspn(s, " \t");
            if (!strncmp(s, "include", 7)) {
                s += 7;
                s += strspn(s, " \t");
                char close = *s == '"' ? '"' : '>';
                char *stop = *s == '"' || *s == '<' ? strchr(s + 1, close) : NULL;
                if (stop && stop < end) {
                    const char *inc = arena_strndup(a, s + 1, (size_t)(stop - s - 1));
                    if (close == '"')
                        check_quoted(path, line, from, inc);
                    else
                        check_system(path, line, from, inc);
                }
            }
        }
        s = *end ? end + 1 : end;
    }
}

int main(int argc, char **argv) {
    const char *root = argc > 1 ? argv[1] : ".";
    Mem mem;
    Arena a;
    Paths files = {0};
    mem_init(&mem, NULL);
    arena_init(&a, &mem);
    tree_files(&a, root, "src", &files);
    int checked = 0;
    for (uint32_t i = 0; i < files.n; i++) {
        if (!tree_has_ext(files.p[i], ".c .h .def .inc .isle")) continue;
        check_file(&a, root, files.p[i]);
        checked++;
    }
    vec_free(&mem, &files);
    arena_destroy(&a);
    if (!checked)
        printf("%s: no sources under src/\n", root);
    else
        printf("depcheck: %d files, %d violations\n", checked, violations);
    return violations || !checked;
}

/* Writes by the C interface two objects and a shared library with what is in both: data of all kinds, bindings, sections.
 * usage: api_make A.o B.o C.so */
#include <cot/object.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static CotError e;
#define TRY(x)                                                            \
    do {                                                                  \
        if (x) fprintf(stderr, "%d: %s\n", __LINE__, e.message), exit(1); \
    } while (0)

static uint32_t sym(CotObject *o, const char *name) {
    return cot_object_declare(o, name);
}
static void data(CotObject *o, uint32_t s, uint32_t kind, const void *bytes, size_t n,
                 uint32_t align) {
    CotData d = {bytes, n, align, kind, NULL, 0};
    TRY(cot_object_define_data(o, s, &d, &e));
}
static void text(CotObject *o, const char *t) {
    TRY(cot_object_define_text(o, t, strlen(t), &e));
}
static void once(CotObject *o) { /* in both objects */
    text(o, "function %only_once() -> i32 system_v {\n"
            "block0:\n    v0 = iconst.i32 11\n    return v0\n}\n");
    TRY(cot_object_bind(o, sym(o, "only_once"), COT_SYMBOL_WEAK, &e));
    TRY(cot_object_keep(o, sym(o, "only_once"), COT_SYMBOL_COMDAT, NULL, &e));
}
static void write(CotObject *o, uint32_t kind, const char *path) {
    CotFile f = {kind, 0, 0, "api.clif", 0, NULL, NULL, 0};
    const void *bytes;
    size_t n;
    TRY(cot_object_write(o, &f, &bytes, &n, &e));
    void *first = memcpy(malloc(n), bytes, n);
    size_t size = n;
    TRY(cot_object_write(o, &f, &bytes, &n, &e));
    if (n != size || memcmp(first, bytes, n)) puts("not the same twice"), exit(1);
    free(first);
    TRY(cot_object_write_file(o, &f, path, &e));
    cot_object_free(o);
}

static void fill_a(CotObject *o) {
    static const uint32_t seven = 7, five = 5, one = 1;
    uint32_t hello = cot_object_declare(o, NULL), table = sym(o, "table"), list = sym(o, "entry_a");
    data(o, hello, COT_DATA_CONSTANT, "hello", 6, 1);
    data(o, sym(o, "counter"), COT_DATA_WRITABLE, &five, 4, 4);
    data(o, sym(o, "zeros"), COT_DATA_WRITABLE, NULL, 5000, 64);
    data(o, sym(o, "per_thread"), COT_DATA_THREAD, &seven, 4, 4);
    data(o, sym(o, "thread_zeros"), COT_DATA_THREAD, NULL, 32, 32);
    TRY(cot_object_bind(o, sym(o, "thread_zeros"), COT_SYMBOL_LOCAL, &e));
    CotAddress a[] = {{0, 0, sym(o, "add_to_counter")},
                      {8, 1, hello},
                      {16, 4, sym(o, "of_program")},
                      {24, 0, table}};
    CotData t = {NULL, 32, 8, COT_DATA_CONSTANT, a, 4};
    TRY(cot_object_define_data(o, table, &t, &e));
    TRY(cot_object_define_label(o, sym(o, "table_end"), table, 32, 0, &e));
    TRY(cot_object_define_label(o, sym(o, "table_second"), table, 8, 8, &e));
    TRY(cot_object_keep(o, list, COT_SYMBOL_RETAIN, "cot_list", &e));
    TRY(cot_object_bind(o, list, COT_SYMBOL_LOCAL, &e));
    data(o, list, COT_DATA_WRITABLE, &one, 4, 4);
    CotAddress start = {0, 0, sym(o, "at_start")};
    CotData init = {NULL, 8, 8, COT_DATA_CONSTANT, &start, 1};
    uint32_t entry = cot_object_declare(o, NULL);
    TRY(cot_object_keep(o, entry, 0, ".init_array", &e));
    TRY(cot_object_define_data(o, entry, &init, &e));
    text(o, "function %add_to_counter(i32) -> i32 system_v {\n"
            "    gv0 = symbol %counter\n"
            "    fn0 = colocated %not_seen() -> i32 system_v\n"
            "block0(v0: i32):\n"
            "    v1 = symbol_value.i64 gv0\n"
            "    v2 = load.i32 v1\n    v3 = iadd v2, v0\n    store v3, v1\n"
            "    v4 = call fn0()\n    v5 = iadd v3, v4\n    return v5\n}\n"
            "function %not_seen() -> i32 system_v {\n"
            "block0:\n    v0 = iconst.i32 100\n    return v0\n}\n"
            "function %next_in_thread() -> i32 system_v {\n"
            "    gv0 = symbol tls %per_thread\n    gv1 = symbol tls %thread_zeros\n"
            "block0:\n    v0 = tls_value.i64 gv0\n    v1 = load.i32 v0\n"
            "    v2 = iconst.i32 1\n    v3 = iadd v1, v2\n    store v3, v0\n"
            "    v4 = tls_value.i64 gv1\n    v5 = load.i32 v4+28\n    v6 = iadd v5, v3\n"
            "    store v6, v4+28\n    return v6\n}\n"
            "function %at_start() system_v {\n"
            "    fn0 = colocated %add_to_counter(i32) -> i32 system_v\n"
            "block0:\n    v0 = iconst.i32 1000\n    v1 = call fn0(v0)\n    return\n}\n"
            "function %may_be_replaced() -> i32 system_v {\n"
            "block0:\n    v0 = iconst.i32 1\n    return v0\n}\n"
            "function %stays() -> i32 system_v {\n"
            "block0:\n    v0 = iconst.i32 3\n    return v0\n}\n"
            "function %ask_them() -> i32, i64 system_v {\n"
            "    fn0 = colocated %may_be_replaced() -> i32 system_v\n"
            "    fn1 = colocated %stays() -> i32 system_v\n"
            "    fn2 = %nobody() system_v\n"
            "block0:\n    v0 = call fn0()\n    v1 = call fn1()\n    v2 = iadd v0, v1\n"
            "    v3 = func_addr.i64 fn2\n    return v2, v3\n}\n");
    TRY(cot_object_bind(o, sym(o, "not_seen"), COT_SYMBOL_HIDDEN, &e));
    TRY(cot_object_bind(o, sym(o, "at_start"), COT_SYMBOL_LOCAL, &e));
    TRY(cot_object_bind(o, sym(o, "may_be_replaced"), COT_SYMBOL_WEAK, &e));
    TRY(cot_object_bind(o, sym(o, "stays"), COT_SYMBOL_WEAK, &e));
    TRY(cot_object_bind(o, sym(o, "nobody"), COT_SYMBOL_WEAK, &e));
}

static void fill_b(CotObject *o) {
    static const uint32_t two = 2;
    uint32_t list = sym(o, "entry_b");
    TRY(cot_object_keep(o, list, COT_SYMBOL_RETAIN, "cot_list", &e));
    TRY(cot_object_bind(o, list, COT_SYMBOL_LOCAL, &e));
    data(o, list, COT_DATA_WRITABLE, &two, 4, 4);
    text(o, "function %from_b(i32) -> i32 system_v {\n"
            "    fn0 = colocated %only_once() -> i32 system_v\n"
            "    fn1 = %not_seen() -> i32 system_v\n"
            "block0(v0: i32):\n    v1 = call fn0()\n    v2 = call fn1()\n"
            "    v3 = iadd v1, v2\n    v4 = iadd v3, v0\n    return v4\n}\n"
            "function %list_edges() -> i64, i64 system_v {\n"
            "    gv0 = symbol %__start_cot_list\n    gv1 = symbol %__stop_cot_list\n"
            "block0:\n    v0 = symbol_value.i64 gv0\n    v1 = symbol_value.i64 gv1\n    return v0, "
            "v1\n}\n");
}

/* What makes no sense is refused and changes nothing. */
static int refused(void) {
    CotObject *o = cot_object_new(NULL, NULL, &e);
    if (!o) return 1;
    uint32_t f = sym(o, "f"), none = cot_object_declare(o, NULL);
    CotFile file = {0};
    CotData d = {"x", 1, 3, 0, NULL, 0}, kind = {"x", 1, 1, 9, NULL, 0};
    const void *bytes;
    size_t n;
    if (cot_object_new(NULL, "pdp11-linux", &e) || e.status != COT_UNSUPPORTED) return 2;
    if (cot_object_new(NULL, "x86_64-plan9", &e) || e.status != COT_UNSUPPORTED) return 3;
    if (cot_object_bind(o, 99, 0, &e) != COT_MISUSE || cot_object_bind(o, f, 9, &e) != COT_MISUSE)
        return 4;
    if (cot_object_bind(o, none, COT_SYMBOL_EXPORT, &e) != COT_MISUSE) return 5;
    if (cot_object_keep(o, f, 99, NULL, &e) != COT_MISUSE) return 6;
    if (cot_object_keep(o, none, COT_SYMBOL_COMDAT, NULL, &e) != COT_MISUSE) return 7;
    if (cot_object_define_data(o, f, &d, &e) != COT_MISUSE) return 8;
    if (cot_object_define_data(o, f, &kind, &e) != COT_MISUSE) return 9;
    if (cot_object_set(o, "no_such_thing", NULL, &e) != COT_MISUSE) return 10;
    if (cot_object_define_text(o, "function %f() {\nblock0:\n    v0 = nothing\n}\n", 45, &e) !=
        COT_MALFORMED)
        return 11;
    if (strncmp(e.message, "3:10: ", 6)) return 12;
    if (cot_object_bind(o, f, COT_SYMBOL_LOCAL, &e)) return 13;
    if (cot_object_write(o, &file, &bytes, &n, &e) != COT_LINK || bytes) return 14;
    if (!strstr(e.message, "'f' is local and not defined")) return 15;
    file.kind = 7;
    if (cot_object_write(o, &file, &bytes, &n, &e) != COT_MISUSE) return 16;
    file.kind = 0;
    d.align = 1;
    if (cot_object_define_data(o, f, &d, &e) || cot_object_define_data(o, f, &d, &e) != COT_MISUSE)
        return 17;
    d.bytes = "y";
    if (cot_object_define_data(o, none, &d, &e)) return 18;
    if (cot_object_write_file(o, &file, "/nonexistent/x.o", &e) != COT_IO) return 19;
    if (cot_object_undefine(o, f, &e) || cot_object_define_data(o, f, &d, &e)) return 20;
    cot_object_free(o);
    return 0;
}

int main(int argc, char **argv) {
    if (argc != 4) return 2;
    int line = refused();
    if (line) {
        printf("not refused: %d\n", line);
        return 1;
    }
    CotObject *a = cot_object_new(NULL, "x86_64-unknown-linux-gnu", &e);
    CotObject *b = cot_object_new(NULL, NULL, &e), *c = cot_object_new(NULL, "x86_64-linux", &e);
    if (!a || !b || !c) TRY(e.status);
    fill_a(a);
    once(a);
    write(a, COT_FILE_OBJECT, argv[1]);
    fill_b(b);
    once(b);
    write(b, COT_FILE_OBJECT, argv[2]);
    fill_a(c);
    fill_b(c);
    once(c);
    write(c, COT_FILE_SHARED, argv[3]);
    return 0;
}

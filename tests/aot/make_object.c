/* make_object MODULE.wasm: by the C interface, two modules made of it and a function of CLIF in one object and one shared library, and the
 * headers one.h and two.h. */
#include <cot/object.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static CotError e;
static int fail(const char *what) {
    fprintf(stderr, "%s: %s\n", what, e.message);
    return 1;
}

static int write_header(CotObject *o, const char *name, const void *bytes, size_t size) {
    const char *text;
    char path[64];
    if (cot_object_module_header(o, name, bytes, size, &text, &e)) return fail("header");
    snprintf(path, sizeof path, "%s.h", name);
    FILE *f = fopen(path, "w");
    if (!f) return fail(path);
    fputs(text, f);
    return fclose(f);
}

int main(int argc, char **argv) {
    static const char helper[] =
        "function %helper() -> i32 system_v {\nblock0:\n    v0 = iconst.i32 42\n    return v0\n}\n";
    static unsigned char bytes[65536];
    FILE *f = argc == 2 ? fopen(argv[1], "rb") : NULL;
    if (!f) return 2;
    size_t n = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    CotConfig *c = cot_config_new();
    cot_config_set(c, "opt_level", "speed", NULL);
    CotObject *o = cot_object_new(c, NULL, &e);
    if (!o) return fail("cot_object_new");
    CotData data = {"x", 1, 1, COT_DATA_WRITABLE, NULL, 0};
    uint32_t away = cot_object_declare(o, "away");
    if (cot_object_define_data(o, away, &data, &e)) return fail("away");
    if (cot_object_define_module(o, "one", bytes, n, &e)) return fail("one");
    if (cot_object_define_text(o, helper, sizeof helper - 1, &e)) return fail("helper");
    if (cot_object_define_module(o, "two", bytes, n, &e)) return fail("two");
    if (cot_object_undefine(o, away, &e)) return fail("undefine");
    /* what is refused changes nothing */
    if (cot_object_define_module(o, "one", bytes, n, &e) != COT_INVALID) return fail("one again");
    if (strcmp(e.message, "'one_module' is defined already")) return fail("one again");
    if (cot_object_define_module(o, "1", bytes, n, &e) != COT_INVALID) return fail("a name");
    if (cot_object_define_module(o, "three", bytes, n - 1, &e) != COT_MALFORMED) return fail("cut");
    if (write_header(o, "one", bytes, n) || write_header(o, "two", bytes, n)) return 1;
    CotFile file = {.kind = COT_FILE_OBJECT, .function_sections = 1, .data_sections = 1};
    if (cot_object_write_file(o, &file, "both.o", &e)) return fail("both.o");
    file.kind = COT_FILE_SHARED;
    if (cot_object_write_file(o, &file, "both.so", &e)) return fail("both.so");
    file.kind = COT_FILE_OBJECT;
    file.function_sections = file.data_sections = 0;
    if (cot_object_write_file(o, &file, "plain.o", &e)) return fail("plain.o");
    cot_object_free(o);
    cot_config_free(c);
    return 0;
}

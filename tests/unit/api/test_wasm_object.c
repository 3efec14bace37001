/* Modules in a CotObject: memory that runs out at every request, files that are the same each time. */
#include "cot/object.h"
#include "runtime/rt_test.h"

static Tm tm;
static CotError err;
static long blocks, requests, fail_at;

static void *counted(void *user, void *old, size_t old_size, size_t new_size) {
    CHECK(user == &blocks);
    (void)old_size;
    if (new_size && ++requests == fail_at) return NULL;
    if (new_size) {
        blocks += !old;
        return realloc(old, new_size);
    }
    blocks--;
    free(old);
    return NULL;
}

static CotConfig *make_module(void) {
    static const uint8_t call[] = {0, 0x20, 0, 0x10, 0}, ceiling[] = {0, 0x20, 0, 0x9B};
    memset(&tm, 0, sizeof tm);
    tm_import(&tm, "h", "f", "i:i");
    tm_func_bytes(&tm, "call", "i:i", call, sizeof call);
    tm_func_bytes(&tm, "ceil", "F:F", ceiling, sizeof ceiling); /* a routine of the runtime */
    TM_SET(&tm, table, 1, 0x70, 0, 2);
    TM_SET(&tm, globals, 1, 0x7F, 1, 0x41, 5, 0x0B);
    tm.export_table = true;
    tm_finish(&tm);
    CotConfig *c = cot_config_new();
    CHECK(c && !cot_config_set_cpu_features(c, "baseline", &err));
    cot_config_set_compile_threads(c, 1);
    return c;
}

static void memory_that_runs_out(void) {
    CotConfig *c = make_module();
    cot_config_set_allocator(c, counted, &blocks);
    bool complete = false;
    for (fail_at = 1; !complete; fail_at++) {
        requests = 0;
        const void *bytes;
        size_t n;
        const char *text;
        CotFile file = {.kind = COT_FILE_OBJECT}, shared = {.kind = COT_FILE_SHARED};
        CotObject *o = cot_object_new(c, NULL, &err);
        complete = o && !cot_object_define_module(o, "a", tm.out, tm.n, &err) &&
                   !cot_object_module_header(o, "a", tm.out, tm.n, &text, &err) &&
                   strstr(text, "a_import_h_f") && !cot_object_write(o, &file, &bytes, &n, &err) &&
                   !cot_object_write(o, &shared, &bytes, &n, &err);
        CHECK(complete || err.status == COT_NO_MEMORY);
        cot_object_free(o);
        CHECK(blocks == 0);
    }
    CHECK(fail_at > 50);
    printf("# %ld requests, each failed once\n", fail_at - 2);
    cot_config_free(c);
}

static void order_and_kinds(void) {
    CotConfig *c = make_module();
    static uint8_t first[65536];
    size_t first_size = 0, n;
    const void *bytes;
    for (int k = 0; k < 3; k++) { /* shared in between: it is written with a weak reference */
        CotFile file = {.kind = COT_FILE_OBJECT}, shared = {.kind = COT_FILE_SHARED};
        CotObject *o = cot_object_new(c, NULL, &err);
        CHECK(o && !cot_object_define_module(o, "a", tm.out, tm.n, &err));
        CHECK(k != 1 || !cot_object_write(o, &shared, &bytes, &n, &err));
        CHECK(!cot_object_write(o, &file, &bytes, &n, &err) && n < sizeof first);
        if (!k) memcpy(first, bytes, first_size = n);
        CHECK(n == first_size && !memcmp(bytes, first, n));
        CHECK(cot_object_define_module(o, "a", tm.out, tm.n, &err) == COT_INVALID);
        CHECK(cot_object_define_module(o, "", tm.out, tm.n, &err) == COT_INVALID);
        CHECK(cot_object_define_module(o, "b", tm.out, 7, &err) == COT_MALFORMED);
        CHECK(!cot_object_write(o, &file, &bytes, &n, &err));
        CHECK(n == first_size && !memcmp(bytes, first, n)); /* what was refused is not there */
        cot_object_free(o);
    }
    cot_config_free(c);
}

int main(void) {
    const struct CMUnitTest tests[] = {RT_TEST(memory_that_runs_out), RT_TEST(order_and_kinds)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

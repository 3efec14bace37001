/* Two modules, each compiled from exports.wat, and two instances of one, through the headers that `cot compile` wrote. C and C++. */
#include "one.h"
#include "two.h"
#include <stdio.h>
#include <string.h>

#define CHECK(x)                                            \
    do {                                                    \
        if (!(x)) {                                         \
            fprintf(stderr, "line %d: %s\n", __LINE__, #x); \
            return 1;                                       \
        }                                                   \
    } while (0)

typedef struct Host {
    int calls;
    double last;
} Host;

CotStatus one_import_env_log(void *user, CotCaller *caller, int32_t p0, double p1, int64_t *r0) {
    Host *h = (Host *)user;
    (void)caller;
    h->calls++;
    h->last = p1;
    *r0 = (int64_t)p0 << 32;
    return COT_OK;
}
CotStatus one_import_env_stop(void *user, CotCaller *caller, int32_t p0) {
    (void)user;
    if (p0 > 100) return cot_caller_trap(caller, "too much");
    return cot_caller_exit(caller, p0);
}
CotStatus one_import_env_pair(void *user, CotCaller *caller, float p0, const uint8_t *p1,
                              uint8_t *r0, float *r1) {
    (void)user, (void)caller;
    for (int i = 0; i < 16; i++) r0[i] = p1[15 - i];
    *r1 = p0 * 2;
    return COT_OK;
}
CotStatus two_import_env_log(void *user, CotCaller *caller, int32_t p0, double p1, int64_t *r0) {
    (void)user, (void)caller, (void)p0, (void)p1;
    *r0 = -2;
    return COT_OK;
}
CotStatus two_import_env_stop(void *user, CotCaller *caller, int32_t p0) {
    (void)user, (void)caller, (void)p0;
    return COT_OK;
}
CotStatus two_import_env_pair(void *user, CotCaller *caller, float p0, const uint8_t *p1,
                              uint8_t *r0, float *r1) {
    (void)user, (void)caller, (void)p0, (void)p1, (void)r0, (void)r1;
    return COT_OK;
}

static int functions(const one_instance *a, CotStore *store, Host *host) {
    CotError e;
    int32_t x, y;
    int64_t z;
    CHECK(one_add(a, 3, 4, &x, &e) == COT_OK && x == 7);
    CHECK(one_swap(a, 3, INT64_MIN, &z, &x, NULL) == COT_OK && z == INT64_MIN && x == 3);
    CHECK(one_call(a, 21, &z, &e) == COT_OK && z == (int64_t)21 << 32 && host->calls == 1);
    CHECK(host->last == 1.5);
    x = 77;
    CHECK(one_deeper(a, 1, 0, &x, &e) == COT_TRAP && x == 77 && e.status == COT_TRAP);
    CHECK(strcmp(e.message, "integer divide by zero") == 0);
    const CotTrap *t = cot_store_trap(store);
    CotFrame f;
    CHECK(t && cot_trap_code(t) == COT_TRAP_DIVISION_BY_ZERO && cot_trap_frame_count(t) == 2);
    CHECK(cot_trap_frame(t, 1, &f) == COT_OK && f.name.size == 6 &&
          !memcmp(f.name.data, "deeper", 6));
    CHECK(one_stop(a, 101, &e) == COT_TRAP && strcmp(e.message, "too much") == 0);
    CHECK(one_stop(a, 42, NULL) == COT_EXIT && cot_store_exit_code(store) == 42);
    double d;
    CHECK(one_sqrt(a, 6.25, &d, &e) == COT_OK && d == 2.5);
    CHECK(one_ceil(a, 6.25, &d, &e) == COT_OK && d == 7);
    uint8_t in[16], out[16];
    float g;
    for (int i = 0; i < 16; i++) in[i] = (uint8_t)i;
    CHECK(one_pair(a, 1.25f, in, out, &g, &e) == COT_OK && g == 2.5f && out[0] == 15 &&
          out[15] == 0);
    CotFunc *own, *back;
    void *ext;
    CHECK(one_own(a, &own, &e) == COT_OK && own);
    CHECK(one_refs(a, in, own, &x, &ext, &back, out, &e) == COT_OK && ext == &x && back == own &&
          !memcmp(in, out, 16));
    CHECK(one_refs(a, in, NULL, NULL, &ext, &back, out, &e) == COT_OK && !ext && !back);
    CHECK(one_int(a, &y, &e) == COT_OK && y == 1);
    CHECK(cot_func_type(a->func_add).nparams == 2);
    return 0;
}

static int entities(const one_instance *a, const one_instance *b) {
    CotError e;
    CHECK(one_get_counter(a) == 5 && one_set_counter(a, 9, &e) == COT_OK);
    CHECK(one_get_counter(a) == 9 && one_get_counter(b) == 5 && one_get_ratio(a) == 0.5);
    uint8_t v[16];
    one_get_lanes(a, v);
    CHECK(v[0] == 1 && v[4] == 2 && v[12] == 4);
    v[0] = 200;
    CHECK(one_set_lanes(a, v, &e) == COT_OK);
    v[0] = 0;
    one_get_lanes(a, v);
    CHECK(v[0] == 200);
    CHECK(!one_get_kept(a) && one_set_kept(a, &e, &e) == COT_OK && one_get_kept(a) == &e);
    CHECK(one_size_memory(a) == 65536 && !memcmp(one_data_memory(a) + 8, "hello", 5));
    int32_t old;
    CHECK(one_grow(a, &old, &e) == COT_OK && old == 1 && one_size_memory(a) == 131072 &&
          one_size_memory(b) == 65536);
    CHECK(cot_table_size(a->table_table) == 2);
    return 0;
}

static int numbered(const one_instance *a) {
    int32_t x;
    CHECK(one_new_(a, &x, NULL) == COT_OK && x == 2);
    CHECK(one_module_(a, &x, NULL) == COT_OK && x == 3);
    CHECK(one_get_counter_(a, &x, NULL) == COT_OK && x == 4);
    CHECK(one_a_2eb(a, &x, NULL) == COT_OK && x == 5);
    CHECK(one_a_2eb_(a, &x, NULL) == COT_OK && x == 6);
    CHECK(one__2a_2f_20_22_3f_5c(a, &x, NULL) == COT_OK && x == 7);
    CHECK(one_(a, &x, NULL) == COT_OK && x == 8);
    CHECK(one__c3_a9(a, &x, NULL) == COT_OK && x == 9);
    return 0;
}

int main(void) {
    CotError e;
    Host host = {0, 0};
    CotEngine *engine = cot_engine_new(NULL, &e);
    CHECK(engine);
    CotModule *one = one_load(engine, &e), *two = two_load(engine, &e),
              *again = one_load(engine, &e);
    CHECK(one && two && again);
    CotStore *store = cot_store_new(engine, &e);
    CotValue seven;
    seven.type = COT_I32;
    seven.of.i32 = 7;
    one_instance a, b;
    two_instance c;
    one_imports none;
    memset(&none, 0, sizeof none);
    CHECK(one_new(&a, store, one, &none, &e) == COT_MISUSE);
    CHECK(one_new(&a, store, one, NULL, NULL) == COT_MISUSE);
    one_imports im;
    memset(&im, 0, sizeof im);
    im.user = &host;
    im.memory_env_memory = cot_memory_new(store, 1, COT_NO_MAXIMUM, &e);
    im.global_a_20b__2a_2f = cot_global_new(store, seven, true, &e);
    im.table_env_table = cot_table_new(store, COT_FUNCREF, 1, COT_NO_MAXIMUM, &e);
    CHECK(one_new(&a, store, one, &im, &e) == COT_OK &&
          one_new(&b, store, again, &im, &e) == COT_OK);
    two_imports im2;
    memset(&im2, 0, sizeof im2);
    im2.memory_env_memory = im.memory_env_memory;
    im2.global_a_20b__2a_2f = im.global_a_20b__2a_2f;
    im2.table_env_table = im.table_env_table;
    CHECK(two_new(&c, store, two, &im2, &e) == COT_OK);
    int64_t z;
    int32_t x;
    CHECK(two_call(&c, 1, &z, &e) == COT_OK && z == -2);
    CHECK(two_take_global(&c, &x, &e) == COT_OK && x == 7);
    int bad = functions(&a, store, &host) || entities(&a, &b) || numbered(&a);
    cot_store_free(store);
    cot_module_free(one);
    cot_module_free(again);
    cot_module_free(two);
    cot_engine_free(engine);
    if (!bad) puts("all is well");
    return bad;
}

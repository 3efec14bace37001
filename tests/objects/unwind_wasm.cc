// C++ exceptions of host functions pass the frames of WebAssembly: of modules compiled here, if the unwinder is told of them, and with -DLINKED
// of the module `thrower` that the program is linked with. The store goes on working, traps included; nested calls end one by one.
// usage: unwind_wasm THROWER.wasm
#include <cot/wasm.h>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>
#ifdef LINKED
extern "C" const CotLinkedModule thrower_module;
#endif

static CotError e;
static void need(bool ok, int line) {
    if (!ok) fprintf(stderr, "line %d: %s\n", line, e.message), exit(1);
}
#define NEED(x) need(x, __LINE__)

struct Host {
    CotInstance *instance = nullptr;
    int destroyed = 0, caught_inside = 0;
};
struct Local { // destructors of frames between run
    Host *h;
    ~Local() { h->destroyed++; }
};

static CotStatus call(Host *h, int32_t x, int32_t *result) {
    CotValue arg = {COT_I32, {.i32 = x}}, r = {};
    CotStatus s = cot_func_call(cot_instance_func(h->instance, "run"), &arg, 1, &r, 1, &e);
    *result = r.of.i32;
    return s;
}

// 0: throws; 2000 and more: calls again inside, and catches what comes out of that
static CotStatus host(void *user, CotCaller *, const CotValue *args, CotValue *results) {
    Host *h = static_cast<Host *>(user);
    Local local{h};
    int32_t x = args[0].of.i32, inner = 0;
    if (x == 0) throw std::string("from the host");
    if (x >= 2000) {
        try {
            call(h, x - 2000, &inner);
        } catch (const std::string &) {
            h->caught_inside++;
            inner = 7;
        }
        if (x >= 4000) throw x;
    }
    results[0].of.i32 = x + inner;
    return COT_OK;
}

int main(int, char **argv) {
    CotConfig *config = cot_config_new();
#ifndef LINKED
    cot_config_set_publish(config, COT_PUBLISH_UNWIND);
#endif
    CotEngine *engine = cot_engine_new(config, &e);
    NEED(engine != nullptr);
    cot_config_free(config);
    for (int round = 0; round < 3; round++) {
#ifdef LINKED
        (void)argv;
        CotModule *module = cot_module_linked(engine, &thrower_module, &e);
#else
        std::ifstream in(argv[1], std::ios::binary);
        std::vector<char> bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
        CotModule *module = cot_module_new(engine, bytes.data(), bytes.size(), &e);
#endif
        NEED(module != nullptr);
        CotStore *store = cot_store_new(engine, &e);
        CotLinker *linker = cot_linker_new(store, &e);
        Host h;
        static const CotType one[] = {COT_I32};
        CotExtern f = {COT_KIND_FUNC, {}};
        f.of.func = cot_func_new(store, {one, one, 1, 1}, host, &h, &e);
        NEED(f.of.func && cot_linker_define(linker, "host", "f", f, &e) == COT_OK);
        h.instance = cot_linker_instantiate(linker, module, &e);
        NEED(h.instance != nullptr);
        for (int k = 0; k < 100; k++) {
            int32_t r = 0, thrown = 0;
            bool caught = false;
            try {
                call(&h, 0, &r);
            } catch (const std::string &s) {
                caught = s == "from the host";
            }
            NEED(caught);
            NEED(call(&h, 5, &r) == COT_OK && r == 5 + 1); // the store works
            NEED(call(&h, -1, &r) == COT_TRAP); // and so do traps
            NEED(cot_trap_code(cot_store_trap(store)) == COT_TRAP_UNREACHABLE);
            NEED(call(&h, 2000, &r) == COT_OK && r == 2000 + 7 + 1); // caught in between
            NEED(call(&h, 2003, &r) == COT_OK && r == 2003 + 3 + 1 + 1);
            try {
                call(&h, 4000, &r); // the inner call's is caught, the outer one's goes through
            } catch (int32_t x) {
                thrown = x;
            }
            NEED(thrown == 4000); // the one at 0 was caught by the host function for 2000
        }
        NEED(h.destroyed == 100 * 9 && h.caught_inside == 200);
        cot_linker_free(linker);
        cot_store_free(store);
        cot_module_free(module);
    }
    cot_engine_free(engine);
    return 0;
}

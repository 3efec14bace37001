// Exceptions and backtraces pass functions compiled in memory, for as long as they are there; perf's files name them.
// usage: unwind_jit CLIF; prints the number of the process.
#include <cot/jit.h>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <unistd.h>
#include <unwind.h>

static CotError e;
static void try_(CotStatus s) {
    if (s) fprintf(stderr, "%s\n", e.message), exit(1);
}
typedef uint64_t Callback(uint64_t);
typedef uint64_t Compiled(Callback *, uint64_t);
static int frames;
static _Unwind_Reason_Code count(_Unwind_Context *, void *) {
    frames++;
    return _URC_NO_REASON;
}
static uint64_t thrower(uint64_t x) {
    frames = 0;
    _Unwind_Backtrace(count, nullptr);
    if (x & 1) throw x;
    return x;
}

/* Compiles the text's functions into jit and calls each that is named. */
static int use(CotJit *jit, const std::string &text) {
    CotFunction *f = cot_function_new(nullptr, &e);
    CotReader *r = cot_reader_new(text.data(), text.size(), &e);
    bool found = true;
    char name[200];
    if (!f || !r) return 1;
    while (true) {
        try_(cot_reader_next(r, f, &found, &e));
        if (!found) break;
        char printed[300];
        cot_function_print(f, printed, sizeof printed);
        if (sscanf(printed, "function %%%199[^(]", name) != 1) return 1;
        try_(cot_jit_define(jit, cot_jit_declare(jit, name), f, &e));
    }
    cot_reader_free(r);
    cot_function_free(f);
    try_(cot_jit_link(jit, &e));
    for (const char *n : {"keeps", "large", "tails"}) {
        Compiled *code = reinterpret_cast<Compiled *>(cot_jit_lookup(jit, n));
        if (!code) return 2;
        for (uint64_t x = 1; x < 50; x++) {
            uint64_t got = 0, kept = x * 3;
            try {
                code(thrower, x);
            } catch (uint64_t y) {
                got = y;
            }
            if (got != (x & 1 ? x : 0) || kept != x * 3) return 3;
        }
        if (frames < 4) return 4;
    }
    return 0;
}

int main(int, char **argv) {
    std::ifstream in(argv[1]);
    std::stringstream text;
    text << in.rdbuf();
    CotJit *jit = cot_jit_new(nullptr, 0, &e);
    if (!jit) return 1;
    if (cot_jit_publish(jit, 99, &e) != COT_MISUSE) return 5;
    try_(cot_jit_publish(jit, COT_PUBLISH_UNWIND | COT_PUBLISH_PERF_MAP | COT_PUBLISH_JITDUMP |
                               COT_PUBLISH_GDB, &e));
    for (int round = 0; round < 3; round++) { // freed, and made anew at the same place
        if (int status = use(jit, text.str())) return status;
        for (const char *n : {"keeps", "large", "tails", "few", "many"})
            try_(cot_jit_undefine(jit, cot_jit_declare(jit, n), &e));
    }
    if (int status = use(jit, text.str())) return status;
    cot_jit_free(jit);
    printf("%ld\n", (long)getpid());
    return 0;
}

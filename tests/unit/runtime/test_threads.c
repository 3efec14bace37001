/* Engines and modules shared by threads, stores of their own: faults at the same time, stack overflow on large and small
 * stacks, interruption, freeing while others run. */
#include <pthread.h>
#include <time.h>
#include <sys/resource.h>
#include <ucontext.h>
#include "rt_test.h"

static Tm tm;

static const Tm *zoo(void) { /* one function per way to trap */
    memset(&tm, 0, sizeof tm);
    TM_FUNC(&tm, "add", "ii:i", 0, 0x20, 0, 0x20, 1, 0x6A);
    TM_FUNC(&tm, "div", "ii:i", 0, 0x20, 0, 0x20, 1, 0x6D);
    TM_FUNC(&tm, "load", "i:i", 0, 0x20, 0, 0x28, 2, 0);
    TM_FUNC(&tm, "store", "ii:", 0, 0x20, 0, 0x20, 1, 0x36, 2, 0);
    TM_FUNC(&tm, "rec", "i:i", 0, 0x20, 0, 0x41, 1, 0x6A, 0x10, 4, 0x41, 1, 0x6A);
    TM_FUNC(&tm, "spin", ":", 0, 0x03, 0x40, 0x0C, 0, 0x0B);
    TM_FUNC(&tm, "no", ":", 0, 0x00);
    TM_FUNC(&tm, "null", ":", 0, 0x41, 0, 0x11, 6, 0); /* call_indirect of type :, element 0 */
    TM_SET(&tm, mem, 1, 1, 1, 4);
    TM_SET(&tm, table, 1, 0x70, 0, 3);
    tm_finish(&tm);
    return &tm;
}

static RtInstance *fresh(RtEngine *e, const RtModule *m) {
    Diag d;
    diag_clear(&d);
    RtStore *s = rt_store_new(e);
    CHECK(s);
    RtInstance *i = rt_instantiate(s, m, NULL, NULL, &d);
    CHECK(i);
    return i;
}

static void exercise(RtInstance *i, unsigned k) {
    uint64_t r;
    CHECK(call2(i, "add", k, 5, &r) && r == k + 5);
    CHECK(trap_of(i, "div", k, 0) == VM_TRAP_DIVISION_BY_ZERO);
    CHECK(trap_of(i, "div", 0x80000000u, UINT32_MAX) == VM_TRAP_INTEGER_OVERFLOW);
    CHECK(trap_of(i, "load", 65533, 0) == VM_TRAP_MEMORY_OUT_OF_BOUNDS);
    CHECK(trap_of(i, "store", 0xFFFFFFFFu, k) == VM_TRAP_MEMORY_OUT_OF_BOUNDS);
    CHECK(trap_of(i, "no", 0, 0) == VM_TRAP_UNREACHABLE);
    CHECK(trap_of(i, "null", 0, 0) == VM_TRAP_INDIRECT_CALL_TO_NULL);
    CHECK(trap_of(i, "rec", 0, 0) == VM_TRAP_STACK_OVERFLOW);
    CHECK(call2(i, "store", 1000, k, NULL));
    CHECK(call2(i, "load", 1000, 0, &r) && r == k);
}

typedef struct Shared {
    RtEngine *e;
    const RtModule *m;
    unsigned rounds;
} Shared;

static void *many_rounds(void *arg) {
    const Shared *s = arg;
    for (unsigned k = 0; k < s->rounds; k++) {
        RtInstance *i = fresh(s->e, s->m);
        exercise(i, k);
        rt_store_free(rt_instance_store(i));
    }
    return NULL;
}

static void *compile_and_free(void *arg) { /* modules come and go while others run */
    const Shared *s = arg;
    static const uint8_t types[4] = {WASM_I32, WASM_I64, WASM_F32, WASM_F64};
    for (unsigned k = 0; k < s->rounds; k++) {
        RtModule *m = new_module(s->e, &tm);
        RtInstance *i = fresh(s->e, m);
        rt_module_free(m); /* the store keeps it */
        exercise(i, k);
        uint8_t sig[8];
        for (unsigned b = 0; b < 8; b++) sig[b] = types[k >> (b % 4 * 2) & 3];
        CHECK(rt_sig_id(s->e, sig, 4, 4) == rt_sig_id(s->e, sig, 4, 4));
        rt_store_free(rt_instance_store(i));
    }
    return NULL;
}

static void run_threads(const EngineConfig *c, unsigned rounds) {
    enum { N = 8 };
    pthread_t th[N];
    RtEngine *e = new_engine(c);
    RtModule *m = new_module(e, zoo());
    Shared s = {e, m, rounds}, few = {e, m, rounds / 4 + 1};
    for (unsigned i = 0; i < N; i++)
        CHECK(!pthread_create(&th[i], NULL, i < 6 ? many_rounds : compile_and_free,
                              i < 6 ? &s : &few));
    for (unsigned i = 0; i < N; i++) CHECK(!pthread_join(th[i], NULL));
    rt_module_free(m);
    rt_engine_free(e);
}

static void faults_in_many_threads(void) {
    EngineConfig c = test_config();
    run_threads(&c, 40);
}
static void faults_in_many_threads_checked_bounds(void) {
    EngineConfig c = test_config();
    c.rt.explicit_bounds = true;
    run_threads(&c, 15);
}
static void traps_in_many_threads_without_signals(void) {
    EngineConfig c = test_config();
    c.rt.no_signals = true;
    run_threads(&c, 15);
}

static void engine_and_module_outlive_their_owner(void) {
    EngineConfig c = test_config();
    RtEngine *e = new_engine(&c);
    RtModule *m = new_module(e, zoo()), *other = new_module(e, &tm);
    RtInstance *i = fresh(e, m);
    Shared s = {e, other, 20};
    pthread_t t;
    CHECK(!pthread_create(&t, NULL, many_rounds, &s));
    rt_module_free(m);
    exercise(i, 1);
    CHECK(!pthread_join(t, NULL));
    rt_module_free(other);
    rt_engine_free(e);
    exercise(i, 2);
    rt_store_free(rt_instance_store(i));
}

/* ---- stacks ---- */
static void *overflow(void *arg) {
    CHECK(trap_of(arg, "rec", 0, 0) == VM_TRAP_STACK_OVERFLOW);
    CHECK(rt_store_trap(rt_instance_store(arg))->more_frames);
    uint64_t r;
    CHECK(call2(arg, "add", 1, 2, &r) && r == 3);
    return NULL;
}

static void stacks_smaller_than_the_limit(void) {
    EngineConfig c = test_config();
    c.rt.max_stack = 64u << 20; /* more than any thread here has, the first one included */
    RtEngine *e = new_engine(&c);
    RtModule *m = new_module(e, zoo());
    RtInstance *i = fresh(e, m);
    overflow(i);
    for (size_t kb = 256; kb <= 4096; kb *= 2) { /* one store, many threads, one after the other */
        pthread_t t;
        pthread_attr_t a;
        pthread_attr_init(&a);
        CHECK(!pthread_attr_setstacksize(&a, kb << 10));
        if (kb >= 1024) CHECK(!pthread_attr_setguardsize(&a, 600u << 10)); /* part of the stack */
        CHECK(!pthread_create(&t, &a, overflow, i));
        CHECK(!pthread_join(t, NULL));
        pthread_attr_destroy(&a);
    }
    rt_store_free(rt_instance_store(i));
    rt_module_free(m);
    rt_engine_free(e);
}

/* The first thread's stack is bounded by the process's limit, also where nothing has been touched yet. */
static void a_smaller_limit_of_the_process(void) {
    struct rlimit r;
    CHECK(!getrlimit(RLIMIT_STACK, &r));
    r.rlim_cur = 1u << 20;
    CHECK(!setrlimit(RLIMIT_STACK, &r));
    EngineConfig c = test_config();
    c.rt.max_stack = 64u << 20;
    RtEngine *e = new_engine(&c);
    RtModule *m = new_module(e, zoo());
    RtInstance *i = fresh(e, m);
    overflow(i);
    rt_store_free(rt_instance_store(i));
    rt_module_free(m);
    rt_engine_free(e);
}

/* A child of a thread is a process whose first thread runs on that thread's stack. */
static void *fork_and_overflow(void *arg) {
    pid_t pid = fork();
    if (pid == 0) {
        overflow(arg);
        _exit(0);
    }
    int st;
    CHECK(waitpid(pid, &st, 0) == pid && st == 0);
    return NULL;
}
static void a_process_on_a_threads_stack(void) {
    EngineConfig c = test_config();
    c.rt.max_stack = 64u << 20;
    RtEngine *e = new_engine(&c);
    RtModule *m = new_module(e, zoo());
    RtInstance *i = fresh(e, m);
    pthread_t t;
    pthread_attr_t a;
    pthread_attr_init(&a);
    CHECK(!pthread_attr_setstacksize(&a, 512u << 10));
    CHECK(!pthread_create(&t, &a, fork_and_overflow, i) && !pthread_join(t, NULL));
    pthread_attr_destroy(&a);
    rt_store_free(rt_instance_store(i));
    rt_module_free(m);
    rt_engine_free(e);
}

/* A stack that is not the thread's: its owner provides what the engine allows, and RT_HOST_STACK. */
static ucontext_t main_context, coroutine;
static RtInstance *there;
static void on_coroutine(void) {
    overflow(there);
}
static void a_coroutines_stack(void) {
#ifndef COT_SANITIZED /* they would have to be told of the switch */
    EngineConfig c = test_config();
    c.rt.max_stack = 512u << 10;
    RtEngine *e = new_engine(&c);
    RtModule *m = new_module(e, zoo());
    there = fresh(e, m);
    size_t size = c.rt.max_stack + RT_HOST_STACK + 8192;
    void *stack = malloc(size);
    CHECK(stack && !getcontext(&coroutine));
    coroutine.uc_stack.ss_sp = stack;
    coroutine.uc_stack.ss_size = size;
    coroutine.uc_link = &main_context;
    makecontext(&coroutine, on_coroutine, 0);
    for (int k = 0; k < 2; k++) {
        CHECK(trap_of(there, "rec", 0, 0) == VM_TRAP_STACK_OVERFLOW);
        if (k == 0) CHECK(!swapcontext(&main_context, &coroutine));
    }
    rt_store_free(rt_instance_store(there));
    free(stack);
    rt_module_free(m);
    rt_engine_free(e);
#else
    (void)on_coroutine;
    (void)main_context;
    (void)coroutine;
#endif
}

/* An engine made before fork works in the child as in the parent. */
static void after_fork(void) {
    EngineConfig c = test_config();
    RtEngine *e = new_engine(&c);
    RtModule *m = new_module(e, zoo());
    RtInstance *i = fresh(e, m);
    exercise(i, 1);
    pid_t pid = fork();
    exercise(i, 2);
    RtInstance *j = fresh(e, m);
    exercise(j, 3);
    rt_store_free(rt_instance_store(j));
    rt_store_free(rt_instance_store(i));
    rt_module_free(m);
    rt_engine_free(e);
    if (pid == 0) exit(0);
    int st;
    CHECK(waitpid(pid, &st, 0) == pid && st == 0);
}

/* ---- interruption ---- */
static void pause_ms(long ms) {
    struct timespec t = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&t, NULL);
}
static void *interrupter(void *arg) {
    pause_ms(20);
    rt_store_interrupt(arg);
    return NULL;
}

static void interruption(void) {
    EngineConfig c = test_config();
    c.rt.interruptible = true;
    RtEngine *e = new_engine(&c);
    RtModule *m = new_module(e, zoo());
    RtInstance *i = fresh(e, m);
    RtStore *s = rt_instance_store(i);
    uint64_t r;
    for (int k = 0; k < 3; k++) {
        pthread_t t;
        CHECK(!pthread_create(&t, NULL, interrupter, s));
        CHECK(trap_of(i, "spin", 0, 0) == VM_TRAP_INTERRUPT);
        CHECK(rt_store_trap(s)->num_frames == 1 && rt_store_trap(s)->frames[0].func == 5);
        CHECK(!pthread_join(t, NULL));
        CHECK(call2(i, "add", 1, 2, &r) && r == 3); /* the request is used up */
    }
    rt_store_interrupt(s); /* too early: the next call gets it */
    CHECK(trap_of(i, "add", 0, 0) == VM_TRAP_INTERRUPT);
    rt_store_interrupt(s);
    rt_store_clear_interrupt(s);
    CHECK(call2(i, "add", 1, 2, &r));
    rt_store_free(s);
    rt_module_free(m);
    rt_engine_free(e);
}

static void *timed(void *arg) {
    const Shared *sh = arg;
    RtInstance *i = fresh(sh->e, sh->m);
    pthread_t t;
    CHECK(!pthread_create(&t, NULL, interrupter, rt_instance_store(i)));
    CHECK(trap_of(i, "spin", 0, 0) == VM_TRAP_INTERRUPT);
    CHECK(!pthread_join(t, NULL));
    rt_store_free(rt_instance_store(i));
    return NULL;
}
static void time_outs_in_many_threads(void) {
    EngineConfig c = test_config();
    c.rt.interruptible = true;
    RtEngine *e = new_engine(&c);
    RtModule *m = new_module(e, zoo());
    Shared s = {e, m, 1};
    pthread_t t[6];
    for (int k = 0; k < 6; k++) CHECK(!pthread_create(&t[k], NULL, timed, &s));
    for (int k = 0; k < 6; k++) CHECK(!pthread_join(t[k], NULL));
    rt_module_free(m);
    rt_engine_free(e);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        RT_TEST(faults_in_many_threads),
        RT_TEST(faults_in_many_threads_checked_bounds),
        RT_TEST(traps_in_many_threads_without_signals),
        RT_TEST(engine_and_module_outlive_their_owner),
        RT_TEST(stacks_smaller_than_the_limit),
        RT_TEST(a_smaller_limit_of_the_process),
        RT_TEST(a_process_on_a_threads_stack),
        RT_TEST(a_coroutines_stack),
        RT_TEST(after_fork),
        RT_TEST(interruption),
        RT_TEST(time_outs_in_many_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Signals that are not ours go where they went before: each kind of earlier action, faults and signals sent by a process;
 * nothing is installed in the mode without signals. */
#include <setjmp.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include "rt_test.h"

static const int sigs[4] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE};
static volatile sig_atomic_t seen, seen_code, seen_blocked;
static void *volatile seen_addr;
static sigjmp_buf back;

static uintptr_t volatile bad;
static void touch(uintptr_t address) { /* not known to be bad when it is compiled */
    bad = address;
    *(volatile int *)bad = 1;
}

static Tm tm;
static RtEngine *engine;
static RtModule *module;
static RtStore *store;
static RtInstance *inst;

static RtHostResult host_fault(void *user, RtInstance *caller, RtVal *v) {
    (void)user;
    (void)caller;
    (void)v;
    touch(16); /* a bug of the embedder, with Wasm frames below it */
    return RT_HOST_OK;
}
static bool resolve(void *user, const RtImport *im, RtExtern *out) {
    (void)user;

    (void)im;
    return rt_host_func(store, "", "", host_fault, NULL, out);
}

static void start_with(const EngineConfig *c) {
    Diag d;
    diag_clear(&d);
    memset(&tm, 0, sizeof tm);
    tm_import(&tm, "e", "fault", ":");
    TM_FUNC(&tm, "call", ":", 0, 0x10, 0);
    TM_FUNC(&tm, "load", "i:i", 0, 0x20, 0, 0x28, 2, 0);
    TM_FUNC(&tm, "div", "ii:i", 0, 0x20, 0, 0x20, 1, 0x6D);
    TM_FUNC(&tm, "no", ":", 0, 0x00);
    TM_SET(&tm, mem, 1, 1, 1, 4);
    tm_finish(&tm);
    engine = new_engine(c);
    module = new_module(engine, &tm);
    store = rt_store_new(engine);
    inst = rt_instantiate(store, module, resolve, NULL, &d);
    CHECK(inst);
}
static void start(void) {
    EngineConfig c = test_config();
    start_with(&c);
}
static void stop(void) {
    rt_store_free(store);
    rt_module_free(module);
    rt_engine_free(engine);
}
static void own_traps_work(void) {
    CHECK(trap_of(inst, "load", 65536, 0) == VM_TRAP_MEMORY_OUT_OF_BOUNDS);
    CHECK(trap_of(inst, "div", 1, 0) == VM_TRAP_DIVISION_BY_ZERO);
    CHECK(trap_of(inst, "no", 0, 0) == VM_TRAP_UNREACHABLE);
}

/* ---- earlier handlers ---- */
static void note(int sig) {
    sigset_t m;
    sigprocmask(SIG_BLOCK, NULL, &m);
    seen = sig;
    seen_blocked = sigismember(&m, SIGUSR1) + 2 * sigismember(&m, sig);
}
static void plain(int sig) {
    note(sig);
    siglongjmp(back, 1);
}
static void with_info(int sig, siginfo_t *info, void *uc) {
    (void)uc;
    note(sig);
    seen_code = info->si_code;
    seen_addr = info->si_addr;
    siglongjmp(back, 1);
}
static void returning(int sig, siginfo_t *info, void *uc) {
    (void)info;
    CHECK(uc);
    note(sig);
}

static void set_all(void (*h)(int), void (*i)(int, siginfo_t *, void *), int flags) {
    struct sigaction sa;
    memset(&sa, 0, sizeof sa);
    sa.sa_flags = flags;
    if (i) {
        sa.sa_flags |= SA_SIGINFO;
        sa.sa_sigaction = i;
    } else {
        sa.sa_handler = h;
    }
    sigaddset(&sa.sa_mask, SIGUSR1);
    for (int k = 0; k < 4; k++) CHECK(!sigaction(sigs[k], &sa, NULL));
}

static void illegal(void) {
#if defined(__x86_64__)
    __asm__ volatile("ud2");
#endif
}
static void divide(void) {
#if defined(__x86_64__)
    __asm__ volatile("xorl %%ecx, %%ecx\n\tmovl $1, %%eax\n\tcltd\n\tidivl %%ecx" ::
                         : "eax", "ecx", "edx");
#endif
}
static void bus(void) { /* a mapped page behind the end of its file */
    FILE *f = tmpfile();
    CHECK(f);
    volatile char *p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fileno(f), 0);
    CHECK(p != MAP_FAILED);
    (void)*p;
}

static void each_fault_reaches(int with_siginfo) {
    if (sigsetjmp(back, 1) == 0) touch(32);
    CHECK(seen == SIGSEGV && seen_blocked == 3);
    if (with_siginfo) CHECK(seen_code == SEGV_MAPERR && seen_addr == (void *)32);
    seen = 0;
    if (sigsetjmp(back, 1) == 0) illegal();
    CHECK(seen == SIGILL);
    if (sigsetjmp(back, 1) == 0) divide();
    CHECK(seen == SIGFPE);
    if (sigsetjmp(back, 1) == 0) bus();
    CHECK(seen == SIGBUS);
    for (volatile int k = 0; k < 4; k++) {
        seen = 0;
        if (sigsetjmp(back, 1) == 0) raise(sigs[k]);
        CHECK(seen == sigs[k]);
    }
}
static void plain_handlers_are_chained(void) {
    set_all(plain, NULL, 0);
    start();
    own_traps_work();
    CHECK(!seen);
    each_fault_reaches(0);
    own_traps_work();
    stop();
}
static void siginfo_handlers_are_chained(void) {
    set_all(NULL, with_info, 0);
    start();
    own_traps_work();
    CHECK(!seen);
    each_fault_reaches(1);
    own_traps_work();
    stop();
    each_fault_reaches(1); /* with no engine left */
}
static void a_returning_handler_returns(void) {
    set_all(NULL, returning, 0);
    start();
    for (int k = 0; k < 4; k++) {
        raise(sigs[k]);
        CHECK(seen == sigs[k]);
    }
    sigset_t m;
    sigprocmask(SIG_BLOCK, NULL, &m);
    CHECK(!sigismember(&m, SIGUSR1) && !sigismember(&m, SIGSEGV));
    own_traps_work();
    stop();
}
static void nodefer_is_kept(void) {
    set_all(NULL, returning, (int)SA_NODEFER);
    start();
    raise(SIGFPE);
    CHECK(seen == SIGFPE);
#ifndef COT_SANITIZED /* the thread sanitizer's own handler blocks signals */
    CHECK(seen_blocked == 1);
#endif
    stop();
}
static void a_host_functions_fault_is_not_ours(void) {
    set_all(NULL, with_info, 0);
    start();
    if (sigsetjmp(back, 1) == 0) {
        call2(inst, "call", 0, 0, NULL);
        CHECK(!"reached");
    }
    CHECK(seen == SIGSEGV && seen_addr == (void *)16);
    /* the embedder jumped over our frames; the store is lost to it, but not the process */
}

/* ---- no earlier handler ---- */
static void fault_now(void) {
    start();
    own_traps_work();
    touch(64);
}
static void ill_now(void) {
    start();
    own_traps_work();
    illegal();
}
static void fpe_now(void) {
    start();
    divide();
}
static void host_fault_now(void) {
    start();
    call2(inst, "call", 0, 0, NULL);
}
static void sent_now(void) {
    start();
    own_traps_work();
    raise(SIGSEGV);
}
static void
wild_fault_now(void) { /* a fault at a Wasm instruction that no Wasm access can explain */
    start();
    CHECK(!munmap(inst->memories[0]->vm.base, inst->memories[0]->reserved));
    inst->memories[0]->reserved = 0; /* now the address is nobody's */
    call2(inst, "load", 100, 0, NULL);
}
static void ignored_fault_now(void) {
    set_all(SIG_IGN, NULL, 0);
    start();
    touch(64);
}
static void ignored_sent(void) {
    set_all(SIG_IGN, NULL, 0);
    start();
    for (int k = 0; k < 4; k++) raise(sigs[k]);
    own_traps_work();
    stop();
}
static void once(int sig) {
    seen++;
    (void)sig;
}
static void one_shot_now(void) {
    set_all(once, NULL, (int)SA_RESETHAND);
    start();
    raise(SIGFPE);
    CHECK(seen == 1);
    own_traps_work();
    raise(SIGFPE);
}
static void no_core(void) {
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
}
static int died_of(void (*body)(void)) {
    int st = in_child(body);
    return WIFSIGNALED(st) ? WTERMSIG(st) : -1;
}
static void the_default_action_is_kept(void **state) {
    (void)state;
    no_core();
    assert_int_equal(died_of(fault_now), SIGSEGV);
    assert_int_equal(died_of(ill_now), SIGILL);
    assert_int_equal(died_of(fpe_now), SIGFPE);
    assert_int_equal(died_of(sent_now), SIGSEGV);
    assert_int_equal(died_of(host_fault_now), SIGSEGV);
    assert_int_equal(died_of(wild_fault_now), SIGSEGV);
    assert_int_equal(died_of(ignored_fault_now), SIGSEGV);
    assert_int_equal(died_of(one_shot_now), SIGFPE);
}

/* ---- the mode without signals ---- */
static void nothing_is_installed(void) {
    set_all(plain, NULL, 0);
    EngineConfig c = test_config();
    c.rt.no_signals = true;
    start_with(&c);
    own_traps_work();
    for (int k = 0; k < 4; k++) {
        struct sigaction sa;
        CHECK(!sigaction(sigs[k], NULL, &sa));
        CHECK(!(sa.sa_flags & SA_SIGINFO) && sa.sa_handler == plain);
    }
    stop();
}
static void a_later_handler_may_chain_to_ours(void) {
    start();
    struct sigaction ours, theirs;
    memset(&theirs, 0, sizeof theirs);
    theirs.sa_handler = plain;
    CHECK(!sigaction(SIGSEGV, &theirs, &ours));
    CHECK(ours.sa_flags & SA_SIGINFO);
    CHECK(!sigaction(SIGSEGV, &ours, NULL));
    own_traps_work();
    stop();
}
/* Handlers that run on a stack of their own, as Rust's and Go's runtimes want it. */
static void *on_other_stack(void *arg) {
    (void)arg;
    stack_t ss = {.ss_sp = malloc(1 << 16), .ss_size = 1 << 16};
    CHECK(ss.ss_sp && !sigaltstack(&ss, NULL));
    for (int k = 0; k < 3; k++) own_traps_work();
    stack_t now;
    CHECK(!sigaltstack(NULL, &now) && !(now.ss_flags & SS_ONSTACK)); /* the trap has left it */
    ss.ss_flags = SS_DISABLE;
    CHECK(!sigaltstack(&ss, NULL));
    free(ss.ss_sp);
    return NULL;
}
static void an_alternate_stack(void) {
    start();
    on_other_stack(NULL);
    pthread_t t;
    CHECK(!pthread_create(&t, NULL, on_other_stack, NULL) && !pthread_join(t, NULL));
    stop();
}
/* The mask of blocked signals is the same after a trap as before the call. */
static void the_mask_is_kept(void) {
    start();
    sigset_t want, got;
    sigemptyset(&want);
    sigaddset(&want, SIGUSR2);
    CHECK(!sigprocmask(SIG_SETMASK, &want, NULL));
    own_traps_work();
    CHECK(!sigprocmask(SIG_SETMASK, NULL, &got));
    for (int k = 1; k < 32; k++) CHECK(sigismember(&got, k) == (k == SIGUSR2));
    stop();
}
/* Engines come and go: the earlier handlers are found once, not again as our own. */
static void second_engine(void) {
    set_all(plain, NULL, 0);
    start();
    stop();
    start();
    own_traps_work();
    each_fault_reaches(0);
    stop();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        RT_TEST(plain_handlers_are_chained),
        RT_TEST(siginfo_handlers_are_chained),
        RT_TEST(a_returning_handler_returns),
        RT_TEST(nodefer_is_kept),
        RT_TEST(a_host_functions_fault_is_not_ours),
        RT_TEST(ignored_sent),
        RT_TEST(nothing_is_installed),
        RT_TEST(a_later_handler_may_chain_to_ours),
        RT_TEST(an_alternate_stack),
        RT_TEST(the_mask_is_kept),
        RT_TEST(second_engine),
        cmocka_unit_test(the_default_action_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* runtime/signals.c — hardware faults in translated code become traps; all other signals go where they went before.
 *
 * Problem     A library must not take a process's signal handlers away.
 * Idea        A fault is ours if this thread runs a store's code (its current activation), the faulting pc lies in that
 *             store's code, the unit's trap table has an entry for it, and, for a memory fault, the address is one that
 *             such an access can reach: a reservation of the store, or the first page for a null reference. Then the trap and
 *             the backtrace are recorded and the thread resumes in landing(), which jumps back to rt_call: outside
 *             of the handler, with the signal mask restored. Anything else is handed to the action that was there
 *             before, as the system would have done it.
 * Invariants  1. Handlers are installed once per process, by the first engine that wants them, never at library load, and
 *                stay. `previous` is complete before the handler can run.
 *             2. The handler reads only what its own thread wrote; it allocates nothing and takes no lock.
 * Host        x86-64 Linux. */
#include <signal.h>
#include <ucontext.h>
#include "runtime/rt_int.h"

static pthread_once_t install_once = PTHREAD_ONCE_INIT;
static bool install_failed;
static const int handled[4] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE};
static struct sigaction previous[4];
static atomic_bool used_up[4]; /* previous was a one-shot handler and has run */

static _Noreturn void landing(void) {
    rt_unwind();
}

/* Does what would have happened without us. */
static void chain(int sig, siginfo_t *info, void *uc) {
    unsigned i = 0;
    while (handled[i] != sig) i++;
    const struct sigaction *p = &previous[i];
    bool is_default = !(p->sa_flags & SA_SIGINFO) && p->sa_handler == SIG_DFL;
    bool ignored = !(p->sa_flags & SA_SIGINFO) && p->sa_handler == SIG_IGN;
    if (!is_default && !ignored && (unsigned)p->sa_flags & SA_RESETHAND &&
        atomic_exchange(&used_up[i], true))
        is_default = true;
    bool sent = info->si_code <= 0; /* by a process, not by the processor */
    if (ignored && sent) return;
    if (is_default || ignored) { /* ends the process: at the next attempt, or now */
        struct sigaction sa = {.sa_handler = is_default ? SIG_DFL : SIG_IGN};
        sigaction(sig, &sa, NULL);
        if (sent) raise(sig);
        return;
    }
    sigset_t mask = p->sa_mask;
    if (!((unsigned)p->sa_flags & SA_NODEFER)) sigaddset(&mask, sig);
    pthread_sigmask(SIG_BLOCK, &mask, NULL); /* until the return from the signal */
    if (p->sa_flags & SA_SIGINFO)
        p->sa_sigaction(sig, info, uc);
    else
        p->sa_handler(sig);
}

/* May a Wasm access by the store have touched this address? */
static bool plausible(const RtStore *s, uintptr_t addr) {
    if (addr < WASM_PAGE) return true; /* a field of a null reference */
    for (uint32_t i = 0; i < s->memories.n; i++) {
        const RtMemory *m = s->memories.p[i];
        if (addr - (uintptr_t)m->vm.base < m->reserved) return true;
    }
    return false;
}

static void on_signal(int sig, siginfo_t *info, void *ucv) {
    RtActivation *a = rt_current();
    ucontext_t *uc = ucv;
    greg_t *regs = uc->uc_mcontext.gregs;
    const uint8_t *pc = (const uint8_t *)(uintptr_t)regs[REG_RIP];
    const RtModule *m = a && info->si_code > 0 ? rt_find_code(a->store, pc) : NULL;
    VmTrap code = VM_TRAP_NONE;
    if (m && (sig == SIGILL || sig == SIGFPE || plausible(a->store, (uintptr_t)info->si_addr)))
        code = img_find_trap(&m->img, (uint32_t)(pc - m->img.code));
    if (code == VM_TRAP_NONE) {
        chain(sig, info, ucv);
        return;
    }
    RtTrap *t = &a->store->trap;
    t->code = code;
    t->num_frames = 0;
    t->more_frames = false;
    rt_backtrace(a, pc, (const void *)(uintptr_t)regs[REG_RBP], true);
    regs[REG_RSP] = (regs[REG_RSP] & ~(greg_t)15) - 8; /* as after a call */
    regs[REG_RIP] = (greg_t)(uintptr_t)landing;
}

static void install(void) {
    for (unsigned i = 0; i < 4; i++)
        if (sigaction(handled[i], NULL, &previous[i])) install_failed = true;
    struct sigaction sa;
    memset(&sa, 0, sizeof sa);
    sa.sa_sigaction = on_signal;
    sa.sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK;
    sigemptyset(&sa.sa_mask);
    for (unsigned i = 0; i < 4 && !install_failed; i++)
        if (sigaction(handled[i], &sa, NULL)) install_failed = true;
}

bool rt_install_signals(Diag *d) {
    pthread_once(&install_once, install);
    return install_failed ? diag_msg(d, DIAG_UNSUPPORTED, "signal handlers cannot be installed")
                          : true;
}

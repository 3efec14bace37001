/* runtime/trap.c — traps: from hardware faults and from calls, to an error with a backtrace.
 *
 * A fault in translated code is recognised by its address: the engine's code map finds the module, the unit's
 * trap table the code. The handler records the trap and the backtrace, then resumes at landing(), which
 * jumps back to rt_call: the jump happens outside the handler, with the signal mask restored. Any other fault
 * goes to the handler that was there before us. The frame-pointer chain gives the backtrace: translated
 * functions always keep rbp. Handlers are installed once per process, when the first engine that wants
 * signals is made, never at library load. */
#include <signal.h>
#include <ucontext.h>
#include "runtime/rt_int.h"

static _Thread_local RtActivation *current;
static pthread_once_t install_once = PTHREAD_ONCE_INIT;
static bool install_failed;
static struct sigaction previous[4];
static const int handled[4] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE};

void rt_enter(RtActivation *a, RtStore *s) {
    a->prev = current;
    a->store = s;
    current = a;
}

void rt_leave(RtActivation *a) {
    current = a->prev;
}

static void add_frame(RtTrap *t, const RtModule *m, uint32_t code_off) {
    uint32_t f = unit_find_func(&m->unit, code_off);
    if (f == UINT32_MAX) return; /* an adapter */
    if (t->num_frames == RT_MAX_FRAMES) {
        t->more_frames = true;
        return;
    }
    t->frames[t->num_frames++] =
        (RtFrame){m, f + m->wasm.num_imported_funcs, unit_find_loc(&m->unit, code_off)};
}

/* pc: in translated code; its frame is fp. Walks up to the entry adapter. */
static void backtrace(RtStore *s, const uint8_t *pc, const uint8_t *const *fp, bool at_fault) {
    RtTrap *t = &s->trap;
    for (unsigned guard = 0; guard < 1u << 24; guard++) {
        const RtModule *m = rt_find_code(s->engine, pc - (at_fault ? 0 : 1));
        if (!m) return;
        add_frame(t, m, (uint32_t)(pc - m->code.base) - (at_fault ? 0 : 1));
        at_fault = false;
        if (t->more_frames) return;
        pc = fp[1];
        fp = (const uint8_t *const *)(uintptr_t)fp[0];
    }
}

_Noreturn void rt_raise(ClifTrap code, void *frame) {
    RtActivation *a = current;
    if (!a) COT_BUG("trap %u outside of a call", code);
    RtStore *s = a->store;
    RtTrap *t = &s->trap;
    t->code = code;
    const uint8_t *const *fp = frame;
    if (fp) backtrace(s, fp[1], (const uint8_t *const *)(uintptr_t)fp[0], false);
    longjmp(a->back, 1);
}

static _Noreturn void landing(void) {
    longjmp(current->back, 1);
}

static void chain(int sig, siginfo_t *info, void *uc) {
    for (unsigned i = 0; i < 4; i++) {
        if (handled[i] != sig) continue;
        if (previous[i].sa_flags & SA_SIGINFO) {
            previous[i].sa_sigaction(sig, info, uc);
        } else if (previous[i].sa_handler == SIG_DFL || previous[i].sa_handler == SIG_IGN) {
            sigaction(sig, &previous[i], NULL); /* let it happen again, without us */
        } else {
            previous[i].sa_handler(sig);
        }
        return;
    }
}

static void on_signal(int sig, siginfo_t *info, void *ucv) {
    RtActivation *a = current;
    ucontext_t *uc = ucv;
    const uint8_t *pc = (const uint8_t *)(uintptr_t)uc->uc_mcontext.gregs[REG_RIP];
    const RtModule *m = a ? rt_find_code(a->store->engine, pc) : NULL;
    if (!m) {
        chain(sig, info, ucv);
        return;
    }
    ClifTrap code = unit_find_trap(&m->unit, (uint32_t)(pc - m->code.base));
    if (code == CLIF_TRAP_NONE) {
        chain(sig, info, ucv);
        return;
    }
    a->store->trap.code = code;
    backtrace(a->store, pc, (const uint8_t *const *)(uintptr_t)uc->uc_mcontext.gregs[REG_RBP],
              true);
    uc->uc_mcontext.gregs[REG_RSP] = (uc->uc_mcontext.gregs[REG_RSP] & ~(greg_t)15) - 8;
    uc->uc_mcontext.gregs[REG_RIP] = (greg_t)(uintptr_t)landing;
}

static void install(void) {
    for (unsigned i = 0; i < 4; i++) {
        struct sigaction sa;
        memset(&sa, 0, sizeof sa);
        sa.sa_sigaction = on_signal;
        sa.sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK;
        sigemptyset(&sa.sa_mask);
        if (sigaction(handled[i], &sa, &previous[i])) install_failed = true;
    }
}

bool rt_install_signals(Diag *d) {
    pthread_once(&install_once, install);
    return install_failed ? diag_msg(d, DIAG_UNSUPPORTED, "signal handlers cannot be installed")
                          : true;
}

const char *rt_trap_message(ClifTrap code) {
    static const char *const msg[256] = {
        [VM_TRAP_UNREACHABLE] = "unreachable",
        [VM_TRAP_TABLE_OUT_OF_BOUNDS] = "out of bounds table access",
        [VM_TRAP_INDIRECT_CALL_TO_NULL] = "uninitialized element",
        [VM_TRAP_BAD_SIGNATURE] = "indirect call type mismatch",
        [VM_TRAP_INTERRUPT] = "interrupt",
        [VM_TRAP_NULL_REFERENCE] = "null reference",
        [VM_TRAP_UNALIGNED_ATOMIC] = "unaligned atomic",
        [VM_TRAP_OUT_OF_FUEL] = "out of fuel",
        [VM_TRAP_HOST] = "host function failed",
        [VM_TRAP_UNDEFINED_ELEMENT] = "undefined element",
        [CLIF_TRAP_STACK_OVERFLOW] = "call stack exhausted",
        [CLIF_TRAP_HEAP_OUT_OF_BOUNDS] = "out of bounds memory access",
        [CLIF_TRAP_INTEGER_OVERFLOW] = "integer overflow",
        [CLIF_TRAP_INTEGER_DIVISION_BY_ZERO] = "integer divide by zero",
        [CLIF_TRAP_BAD_CONVERSION_TO_INTEGER] = "invalid conversion to integer",
    };
    return msg[code] ? msg[code] : "unknown trap";
}

void rt_print_backtrace(const RtTrap *t, StrBuf *out) {
    for (uint32_t i = 0; i < t->num_frames; i++) {
        const RtFrame *f = &t->frames[i];
        const WasmModule *m = &f->module->wasm;
        sb_printf(out, "  %2u: ", i);
        if (f->func < m->func_names.n && m->func_names.p[f->func].p)
            sb_putn(out, m->func_names.p[f->func].p, m->func_names.p[f->func].n);
        else
            sb_printf(out, "func[%u]", f->func);
        if (f->offset != CLIF_NONE)
            sb_printf(out, " (function %u, offset 0x%x)\n", f->func, f->offset);
        else
            sb_printf(out, " (function %u)\n", f->func);
    }
    if (t->more_frames) sb_puts(out, "  ... further frames left out\n");
}

/* exec.h — runs CLIF natively: a function made with the builder is verified, compiled, mapped and called; a trap ends the
 * call and is reported by its code. Included first by each test file that runs code (it needs POSIX). */
#ifndef COT_TESTS_EXEC_H
#define COT_TESTS_EXEC_H
#include "clif/builder.h"
#include "isa/x64/x64.h" /* before the system's headers, one of which has a macro F_TEST */
#include "verify/verify.h"
#include "cm.h"
#include "libcalls.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#define CODE_BYTES (1u << 20)

typedef struct Exec {
    Mem mem;
    ClifFunc f;
    ClifBuilder b;
    MachSettings set;
    uint8_t turn; /* the allocators take turns, from exec_settings to exec_settings */
    MachCtx *mc;
    VerifyCtx vc;
    MachCompiled out;
    uint8_t *code;
    uint32_t at; /* where in `code` the next function goes */
} Exec;

static Exec *exec_current; /* what the signal handler asks */
static sigjmp_buf exec_back;
static volatile ClifTrap exec_trap;
static void *volatile exec_fault_address;

static void exec_raise(int code) { /* CLIF_LIBCALL_RAISE_TRAP */
    exec_trap = (ClifTrap)code;
    siglongjmp(exec_back, 1);
}
static void exec_on_signal(int sig, siginfo_t *si, void *uc) {
    uintptr_t pc = (uintptr_t)((ucontext_t *)uc)->uc_mcontext.gregs[REG_RIP];
    exec_fault_address = si->si_addr;
    const Exec *x = exec_current;
    if (x && pc - (uintptr_t)(x->code + x->at) < x->out.size)
        for (uint32_t i = 0; i < x->out.num_traps; i++)
            if (x->out.traps[i].offset == pc - (uintptr_t)(x->code + x->at)) {
                exec_trap = x->out.traps[i].code;
                siglongjmp(exec_back, 1);
            }
    signal(sig, SIG_DFL); /* not ours: the instruction faults again and ends the test */
}

static inline void exec_settings(Exec *x, uint64_t isa_flags, uint64_t stress,
                                 bool explicit_traps) {
    x->set = (MachSettings){.isa_flags = isa_flags,
                            .preserve_frame_pointers = true,
                            .enable_probestack = true,
                            .enable_multi_ret_implicit_sret = true,
                            .probestack_size_log2 = 12,
                            .regalloc_checker = true,
                            .verify_input = true,
                            .stress_seed = stress,
                            .regalloc_algorithm = x->turn++ & 1,
                            .explicit_traps = explicit_traps};
    mach_ctx_free(x->mc);
    x->mc = mach_ctx_new(&x->mem, &isa_x64, &x->set);
}
static inline void exec_init(Exec *x) {
    memset(x, 0, sizeof *x);
    mem_init(&x->mem, NULL);
    clif_func_init(&x->f, &x->mem);
    clif_builder_init(&x->b, &x->mem);
    verify_ctx_init(&x->vc, &x->mem, CLIF_I64);
    exec_settings(x, x64_host_flags(), 0, false);
    x->code = mmap(NULL, CODE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(x->code, MAP_FAILED);
    static char stack[65536];
    stack_t ss = {.ss_sp = stack, .ss_size = sizeof stack};
    sigaltstack(&ss, NULL);
    struct sigaction sa = {.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
    sa.sa_sigaction = exec_on_signal;
    sigaction(SIGILL, &sa, NULL);
    sigaction(SIGSEGV, &sa, NULL);
    sigaction(SIGFPE, &sa, NULL);
    exec_current = x;
}
static inline void exec_free(Exec *x) {
    munmap(x->code, CODE_BYTES);
    mach_ctx_free(x->mc);
    verify_ctx_free(&x->vc);
    clif_builder_free(&x->b);
    clif_func_free(&x->f);
    exec_current = NULL;
    assert_int_equal(x->mem.live, 0);
}

/* Begins a function of n parameters; its entry block is current. */
static inline void exec_begin(Exec *x, ClifCallConv cc, const ClifAbiParam *params, uint32_t n,
                              const ClifAbiParam *rets, uint32_t nr) {
    clif_func_clear(&x->f);
    clif_set_sig(&x->f, cc, params, n, rets, nr);
    clif_builder_begin(&x->b, &x->f);
    ClifBlock b0 = cb_create_block(&x->b);
    cb_entry_params(&x->b, b0);
    cb_switch_to(&x->b, b0);
}

static inline void exec_show(Exec *x, const Diag *d) {
    StrBuf sb;
    sb_init(&sb, &x->mem);
    clif_print_func(&x->f, &sb);
    if (!d || strstr(d->msg, "register allocation")) { /* valid: its machine code too */
        Diag again;
        diag_clear(&again);
        mach_ctx_print(x->mc, MACH_PRINT_ALLOCATED | MACH_PRINT_VCODE, &sb);
        mach_compile(x->mc, &x->f, &x->out, &again);
        mach_ctx_print(x->mc, 0, NULL);
    }
    fprintf(stderr, "%s\n%s\n", d ? d->msg : "", sb_cstr(&sb));
    sb_free(&sb);
}

/* Ends the function and compiles it; *d says why if not. */
static inline bool exec_try_compile(Exec *x, Diag *d) {
    cb_seal_all(&x->b);
    clif_builder_end(&x->b);
    diag_clear(d);
    if (!clif_verify(&x->vc, &x->f, d)) {
        exec_show(x, d);
        fail();
    }
    return mach_compile(x->mc, &x->f, &x->out, d);
}
/* Puts what was compiled last where it can run. */
static inline void exec_link(Exec *x) {
    assert_true(x->out.size <= CODE_BYTES - x->at);
    uint8_t *code = x->code + x->at;
    mprotect(x->code, CODE_BYTES, PROT_READ | PROT_WRITE);
    memcpy(code, x->out.code, x->out.size);
    for (uint32_t i = 0; i < x->out.num_relocs; i++) {
        const MachReloc *r = &x->out.relocs[i];
        if (r->kind == MACH_RELOC_ABS8 && r->name.kind == CLIF_NAME_LIBCALL) {
            const void *routine = r->name.a == CLIF_LIBCALL_RAISE_TRAP ? (const void *)exec_raise
                                                                       : libcall_address(r->name.a);
            assert_non_null(routine);
            uint64_t at = (uint64_t)(uintptr_t)routine + (uint64_t)r->addend;
            memcpy(code + r->offset, &at, 8);
        } else if (r->kind == MACH_RELOC_ABS8) { /* a user name: this function */
            uint64_t at = (uint64_t)(uintptr_t)code + (uint64_t)r->addend;
            memcpy(code + r->offset, &at, 8);
        } else {
            assert_int_equal(r->kind, MACH_RELOC_X86_CALL_PCREL4);
            int32_t at = (int32_t)(r->addend - (int64_t)r->offset);
            memcpy(code + r->offset, &at, 4);
        }
    }
    mprotect(x->code, CODE_BYTES, PROT_READ | PROT_EXEC);
}
static inline void exec_compile(Exec *x) {
    Diag d;
    if (!exec_try_compile(x, &d)) {
        exec_show(x, &d);
        fail();
    }
    exec_link(x);
}

/* Runs STATEMENT, which calls the compiled code; the code of the trap that ended it, or CLIF_TRAP_NONE. */
#define EXEC(statement)                          \
    __extension__({                              \
        exec_trap = CLIF_TRAP_NONE;              \
        if (!sigsetjmp(exec_back, 1)) statement; \
        (ClifTrap) exec_trap;                    \
    })
#define EXEC_FN(x, type) ((type)(uintptr_t)((x)->code + (x)->at))
#endif

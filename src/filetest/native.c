/* filetest/native.c — `test run`: the functions of a file compiled for the machine this runs on, their run commands called.
 *
 * Idea  All functions go to one piece of memory, references between them resolved by name. A command calls through an
 *       adapter, itself a compiled function, that loads the arguments from an array and stores the results there, so
 *       every signature can be called from C. A fault in compiled code ends the call: the signal handler jumps back.
 *       What the compiler refuses as unsupported makes the commands that need it skipped, with the compiler's reason.
 * Only targets of this machine run, each with the features that its line names; with both register allocators, the second
 * time, if the first went well, only to see that nothing fails. */
#include "base/vec.h"
#include "clif/builder.h"
#include "clif/opspec.h"
#include "filetest/filetest_int.h"
#include "mach/settings.h"
#include "object/object.h"

#include <dlfcn.h>
#include <link.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

enum {
    MAX_VALUES = 64,
    ALT_STACK = 64 << 10,
    STUB_BYTES = 16,
    MAX_SECONDS = 2,
    TIMEOUT_SIGNAL = SIGALRM
};

typedef struct NativeFunc {
    uint8_t *bytes; /* compiled, before it is placed; NULL: not compiled */
    uint32_t size, first_reloc, nrelocs, first_trap, ntraps;
    uint32_t first_call, ncalls, frame_size; /* calls that have handlers */
    uint32_t at;                             /* where in the code */
    char why[160];                           /* it is missing */
} NativeFunc;
typedef struct Native {
    Ft *t;
    Mem *m;
    const IsaVtable *isa;
    MachCtx *mach;
    ClifBuilder b;
    VEC(ClifFunc *) funcs; /* of the file, then one adapter each */
    VEC(NativeFunc) out;
    VEC(MachReloc) relocs;
    VEC(MachTrap) traps;
    VEC(MachCallSite) calls;
    VEC(MachHandler) handlers;
    HashMap by_name;
    uint8_t *code;
    size_t mapped, stubs;
    const char *target; /* for messages */
    bool again;         /* with the other allocator: only failures matter */
    void *library;      /* dlopen's handle, if the code is in one, */
    int fd;             /* and its file: the loader knows libraries by their paths */
    timer_t timer;
    bool has_timer;
} Native;

/* ---- faults ---- */
static _Thread_local sigjmp_buf *volatile fault_back;
static _Thread_local volatile int fault_signal;
static _Thread_local volatile uintptr_t fault_pc; /* of the instruction */

static uintptr_t pc_of(const void *context) {
#if defined(__x86_64__) && defined(REG_RIP)
    return (uintptr_t)((const ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
#else
    (void)context;
    return 0;
#endif
}

static void on_fault(int sig, siginfo_t *info, void *context) {
    (void)info;
    if (!fault_back) { /* not in compiled code */
        if (sig == TIMEOUT_SIGNAL) return;
        signal(sig, SIG_DFL);
        raise(sig);
        return;
    }
    fault_signal = sig;
    fault_pc = pc_of(context);
    siglongjmp(*fault_back, 1);
}

static void catch_faults(void) {
    static const int signals[] = {SIGILL, SIGSEGV, SIGFPE, SIGBUS, SIGTRAP, TIMEOUT_SIGNAL};
    struct sigaction sa = {.sa_flags = SA_ONSTACK | SA_NODEFER | SA_SIGINFO};
    sa.sa_sigaction = on_fault;
    for (size_t k = 0; k < sizeof signals / sizeof *signals; k++) sigaction(signals[k], &sa, NULL);
}

/* ---- names ---- */
typedef uint8_t Bytes16 __attribute__((vector_size(16)));
static Bytes16 pshufb(Bytes16 a, Bytes16 index) {
    Bytes16 r;
    for (int i = 0; i < 16; i++) r[i] = index[i] & 0x80 ? 0 : a[index[i] & 15];
    return r;
}

static uintptr_t libcall_address(uint32_t lc) {
    static const void *const table[CLIF_LIBCALL_COUNT] = {
        [CLIF_LIBCALL_CEIL_F32] = (const void *)ceilf,
        [CLIF_LIBCALL_CEIL_F64] = (const void *)ceil,
        [CLIF_LIBCALL_FLOOR_F32] = (const void *)floorf,
        [CLIF_LIBCALL_FLOOR_F64] = (const void *)floor,
        [CLIF_LIBCALL_TRUNC_F32] = (const void *)truncf,
        [CLIF_LIBCALL_TRUNC_F64] = (const void *)trunc,
        [CLIF_LIBCALL_NEAREST_F32] = (const void *)nearbyintf,
        [CLIF_LIBCALL_NEAREST_F64] = (const void *)nearbyint,
        [CLIF_LIBCALL_FMA_F32] = (const void *)fmaf,
        [CLIF_LIBCALL_FMA_F64] = (const void *)fma,
        [CLIF_LIBCALL_MEMCPY] = (const void *)memcpy,
        [CLIF_LIBCALL_MEMSET] = (const void *)memset,
        [CLIF_LIBCALL_MEMMOVE] = (const void *)memmove,
        [CLIF_LIBCALL_MEMCMP] = (const void *)memcmp,
        [CLIF_LIBCALL_X86_PSHUFB] = (const void *)pshufb,
    };
    return (uintptr_t)table[lc];
}

static uint64_t name_key(const ClifFunc *f, ClifName n) {
    if (n.kind == CLIF_NAME_TESTCASE) return hash_bytes(n.b ? f->bytes.p + n.a : NULL, n.b, 1);
    return hash_u64((uint64_t)n.a << 32 | n.b) ^ n.kind;
}
static bool same_name(const ClifFunc *f, ClifName a, const ClifFunc *g, ClifName b) {
    if (a.kind != b.kind) return false;
    if (a.kind != CLIF_NAME_TESTCASE) return a.a == b.a && a.b == b.b;
    return a.b == b.b && (!a.b || !memcmp(f->bytes.p + a.a, g->bytes.p + b.a, a.b));
}
static uint32_t find(const Native *x, const ClifFunc *f, ClifName n) {
    for (uint64_t key = name_key(f, n);; key++) {
        const uint32_t *k = hashmap_find(&x->by_name, key);
        if (!k) return CLIF_NONE;
        if (same_name(f, n, x->funcs.p[*k], x->funcs.p[*k]->name)) return *k;
    }
}

/* ---- compiling ---- */
static void missing(NativeFunc *n, const char *why) {
    n->bytes = NULL;
    size_t len = strlen(why);
    if (len >= sizeof n->why) len = sizeof n->why - 1;
    memcpy(n->why, why, len);
    n->why[len] = 0;
}

static bool compile(Native *x, uint32_t k) {
    NativeFunc *n = &x->out.p[k];
    MachCompiled c;
    Diag d;
    diag_clear(&d);
    if (!mach_compile(x->mach, x->funcs.p[k], &c, &d)) {
        missing(n, d.msg);
        if (d.kind == DIAG_UNSUPPORTED || d.kind == DIAG_LIMIT) return true;
        return ft_fail(x->t, 1, "target %s: %s", x->target, d.msg);
    }
    n->bytes = mem_alloc(x->m, c.size + 1);
    memcpy(n->bytes, c.code, c.size);
    n->size = c.size;
    n->first_reloc = x->relocs.n;
    n->nrelocs = c.num_relocs;
    for (uint32_t r = 0; r < c.num_relocs; r++) vec_push(x->m, &x->relocs, c.relocs[r]);
    n->first_trap = x->traps.n;
    n->ntraps = c.num_traps;
    for (uint32_t r = 0; r < c.num_traps; r++) vec_push(x->m, &x->traps, c.traps[r]);
    n->frame_size = c.frame_size;
    n->first_call = x->calls.n;
    for (uint32_t r = 0; r < c.num_calls; r++) {
        MachCallSite s = c.calls[r];
        s.handlers += x->handlers.n;
        if (s.num_handlers) vec_push(x->m, &x->calls, s), n->ncalls++;
    }
    for (uint32_t r = 0; r < c.num_handlers; r++) vec_push(x->m, &x->handlers, c.handlers[r]);
    return true;
}

/* function (i64 callee, i64 values): values[k] -> arguments, results -> values[k], 16 bytes each. */
static ClifFunc *adapter(Native *x, const ClifFunc *f) {
    ClifFunc *a = mem_alloc(x->m, sizeof *a);
    clif_func_init(a, x->m);
    ClifAbiParam two[2] = {{.type = CLIF_I64}, {.type = CLIF_I64}};
    clif_set_sig(a, CLIF_CC_SYSTEM_V, two, 2, NULL, 0);
    const ClifAbiParam *all =
        f->abi_params.n ? f->abi_params.p : two; /* a null pointer has no sum */
    ClifSigRef sig = clif_import_sig(a, (ClifCallConv)f->sig.callconv, all + f->sig.params,
                                     f->sig.nparams, all + f->sig.returns, f->sig.nreturns);
    uint16_t mf = clif_intern_memflags(a, (ClifMemFlags){.region = CLIF_NONE});
    ClifBuilder *b = &x->b;
    clif_builder_begin(b, a);
    ClifBlock b0 = cb_create_block(b);
    cb_entry_params(b, b0);
    cb_switch_to(b, b0);
    ClifValue args[MAX_VALUES], values = {1};
    for (uint32_t k = 0; k < f->sig.nparams; k++)
        args[k] = cb_load(b, CLIF_OP_LOAD, (ClifType)f->abi_params.p[f->sig.params + k].type, mf,
                          values, (int32_t)(16 * k));
    ClifInst call = cb_call_indirect(b, sig, (ClifValue){0}, args, f->sig.nparams);
    for (uint32_t k = 0; k < f->sig.nreturns; k++)
        cb_store(b, CLIF_OP_STORE, mf, clif_result(a, call, k), values, (int32_t)(16 * k));
    cb_return(b, NULL, 0);
    cb_seal_all(b);
    clif_builder_end(b);
    return a;
}

static bool callable(const ClifFunc *f) {
    if (f->sig.nparams > MAX_VALUES || f->sig.nreturns > MAX_VALUES) return false;
    for (uint32_t k = 0; k < f->sig.nparams + f->sig.nreturns; k++) {
        bool ret = k >= f->sig.nparams;
        ClifAbiParam p =
            f->abi_params.p[(ret ? f->sig.returns - f->sig.nparams : f->sig.params) + k];
        if (p.purpose != CLIF_ARG_NORMAL && p.purpose != CLIF_ARG_VMCTX) return false;
        if (clif_type_is_dynamic(p.type) || clif_type_bits(p.type) > 128) return false;
    }
    return true;
}

/* ---- exceptions ---- */
#if defined(__x86_64__)
static _Thread_local const Native *running;

/* Where execution resumes if the call that returns to pc throws; 0: it has no handler for the tag. */
static uintptr_t handler_at(const Native *x, uintptr_t pc, uint32_t tag, uint32_t *frame_size) {
    uintptr_t at = pc - (uintptr_t)x->code;
    for (uint32_t k = 0; k < x->out.n; k++) {
        const NativeFunc *n = &x->out.p[k];
        if (!n->bytes || at < n->at || at - n->at > n->size) continue;
        for (uint32_t c = n->first_call; c < n->first_call + n->ncalls; c++) {
            const MachCallSite *s = &x->calls.p[c];
            if (s->ret_offset != at - n->at) continue;
            *frame_size = n->frame_size;
            for (uint32_t h = s->handlers; h < s->handlers + s->num_handlers; h++) {
                const MachHandler *e = &x->handlers.p[h];
                if (e->kind == MACH_HANDLER_DEFAULT ||
                    (e->kind == MACH_HANDLER_TAG && e->tag == tag))
                    return (uintptr_t)x->code + n->at + e->offset;
            }
        }
    }
    return 0;
}

/* What the tests call as %__cranelift_throw: frames are followed by their frame pointers, from the one of exit_fp to that
 * of entry_fp; the first handler gets the payload in rax and rdx. */
static void throw_here(uintptr_t entry_fp, uintptr_t exit_fp, uintptr_t exit_pc, uint32_t tag,
                       uintptr_t payload1, uintptr_t payload2) {
    uintptr_t pc = exit_pc, fp = exit_fp;
    for (;;) {
        uint32_t size = 0;
        uintptr_t to = handler_at(running, pc, tag, &size);
        if (to)
            __asm__ volatile("mov %[fp], %%rbp\n\tmov %[sp], %%rsp\n\tjmp *%[to]"
                             :
                             : [to] "S"(to), [sp] "D"(fp - size), [fp] "c"(fp), "a"(payload1),
                               "d"(payload2)
                             : "memory");
        if (fp == entry_fp) __builtin_trap(); /* nobody catches it */
        memcpy(&pc, (const void *)(fp + 8), sizeof pc);
        memcpy(&fp, (const void *)fp, sizeof fp);
    }
}
#endif

static uintptr_t host_address(const ClifFunc *f, ClifName n) {
#if defined(__x86_64__)
    static const char name[] = "__cranelift_throw";
    if (n.kind == CLIF_NAME_TESTCASE && n.b == sizeof name - 1 &&
        !memcmp(f->bytes.p + n.a, name, n.b))
        return (uintptr_t)throw_here;
#else
    (void)f, (void)n;
#endif
    return 0;
}

/* ---- placing ---- */
/* Where a relocation leads; 0: nowhere. */
static uintptr_t target_of(const Native *x, const ClifFunc *f, ClifName n) {
    n = clif_resolve_name(f, n);
    if (n.kind == CLIF_NAME_LIBCALL) return libcall_address(n.a);
    uint32_t k = find(x, f, n);
    if (k == CLIF_NONE) return host_address(f, n);
    return x->out.p[k].bytes ? (uintptr_t)x->code + x->out.p[k].at : 0;
}

/* Why a relocation cannot be applied; NULL: it can. */
static const char *unresolved(const Native *x, const ClifFunc *f, const MachReloc *rl) {
    switch ((MachRelocKind)rl->kind) {
    case MACH_RELOC_ABS8:
    case MACH_RELOC_X86_PCREL4:
    case MACH_RELOC_X86_CALL_PCREL4:
    case MACH_RELOC_X86_CALL_PLT:
    case MACH_RELOC_X86_GOTPCREL4:
    case MACH_RELOC_X86_MOV_GOTPCREL4: break;
    case MACH_RELOC_ABS4:
    case MACH_RELOC_ARM64_CALL:
    case MACH_RELOC_ELF_X86_TLSGD:
    case MACH_RELOC_MACHO_X86_TLV:
    case MACH_RELOC_COFF_X86_SECREL: return "a relocation that is of no use here";
    }
    if (target_of(x, f, rl->name)) return NULL;
    ClifName n = clif_resolve_name(f, rl->name);
    uint32_t k = n.kind == CLIF_NAME_LIBCALL ? CLIF_NONE : find(x, f, n);
    return k == CLIF_NONE ? "a name that it needs is not known" : x->out.p[k].why;
}

/* A function that needs a missing one is missing too, for the same reason; again until nothing changes. */
static void drop_dependents(Native *x) {
    for (bool again = true; again;) {
        again = false;
        for (uint32_t k = 0; k < x->out.n; k++) {
            NativeFunc *n = &x->out.p[k];
            for (uint32_t r = n->first_reloc; n->bytes && r < n->first_reloc + n->nrelocs; r++) {
                const char *why = unresolved(x, x->funcs.p[k], &x->relocs.p[r]);
                if (!why) continue;
                mem_free(x->m, n->bytes, n->size + 1);
                missing(n, why);
                again = true;
            }
        }
    }
}

/* Behind the code is a stub of 16 bytes per relocation: jmp *0(%rip), the address. Through it goes what is too far for a
 * displacement of 32 bits, and its address serves as an entry of the global offset table. */
static void relocate(uint8_t *field, uint8_t *stub, const MachReloc *rl, uintptr_t to) {
    static const uint8_t jump[6] = {0xff, 0x25, 0, 0, 0, 0};
    if (rl->kind == MACH_RELOC_ABS8) {
        uint64_t v = (uint64_t)to + (uint64_t)rl->addend;
        memcpy(field, &v, 8);
        return;
    }
    int64_t by = (int64_t)(to - (uintptr_t)field) + rl->addend;
    bool got = rl->kind == MACH_RELOC_X86_GOTPCREL4 || rl->kind == MACH_RELOC_X86_MOV_GOTPCREL4;
    if (got || by != (int32_t)by) {
        uint64_t address = to;
        memcpy(stub, jump, sizeof jump);
        memcpy(stub + sizeof jump, &address, 8);
        by = stub + (got ? sizeof jump : 0) - field + rl->addend;
    }
    int32_t v = (int32_t)by;
    memcpy(field, &v, 4);
}

static bool place(Native *x) {
    size_t total = 0;
    for (uint32_t k = 0; k < x->out.n; k++) {
        x->out.p[k].at = (uint32_t)total;
        total = (total + x->out.p[k].size + 63) & ~(size_t)63;
    }
    x->stubs = total;
    total += (size_t)STUB_BYTES * x->relocs.n;
    x->mapped = (total + 4096) & ~(size_t)4095;
    void *p = mmap(NULL, x->mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) return ft_fail(x->t, 1, "no memory for code");
    x->code = p;
    drop_dependents(x);
    for (uint32_t k = 0; k < x->out.n; k++) {
        NativeFunc *n = &x->out.p[k];
        uint8_t *at = x->code + n->at;
        if (!n->bytes) continue;
        memcpy(at, n->bytes, n->size);
        for (uint32_t r = n->first_reloc; r < n->first_reloc + n->nrelocs; r++) {
            const MachReloc *rl = &x->relocs.p[r];
            relocate(at + rl->offset, x->code + x->stubs + (size_t)STUB_BYTES * r, rl,
                     target_of(x, x->funcs.p[k], rl->name));
        }
    }
    return mprotect(x->code, x->mapped, PROT_READ | PROT_EXEC) == 0 ||
           ft_fail(x->t, 1, "no executable memory");
}

/* ---- placing as a shared library ---- Symbol k is function k, under a name of its own. */
static void shared_name(char name[24], uint32_t k) {
    snprintf(name, 24, "cot.f.%u", k);
}

/* What the host has under that name: movabs $address, %r11; jmp *%r11 */
static void define_host(Native *x, Linkable *k, LinkSym s, uintptr_t address, Diag *d) {
    uint8_t code[13] = {0x49, 0xbb, 0, 0, 0, 0, 0, 0, 0, 0, 0x41, 0xff, 0xe3};
    uint64_t to = address;
    if (linkable_kind(k, s) != LINK_UNDEFINED) return;
    memcpy(code + 2, &to, 8);
    MachCompiled c = {.code = code, .size = sizeof code, .alignment = x->isa->code_alignment};
    linkable_define_func(k, s, &(LinkCode){.code = &c}, d);
    linkable_declared(k, s)->binding = LINK_HIDDEN;
}

static bool define_shared(Native *x, Linkable *k, Diag *d) {
    VEC(MachReloc) relocs = {0};
    char name[24];
    for (uint32_t f = 0; f < x->out.n; f++) {
        shared_name(name, f);
        linkable_symbol(k, name, strlen(name));
    }
    bool ok = true;
    for (uint32_t f = 0; ok && f < x->out.n; f++) {
        const NativeFunc *n = &x->out.p[f];
        if (!n->bytes) continue;
        vec_clear(&relocs);
        for (uint32_t r = n->first_reloc; r < n->first_reloc + n->nrelocs; r++) {
            MachReloc rl = x->relocs.p[r];
            ClifName to = clif_resolve_name(x->funcs.p[f], rl.name);
            uint32_t in = to.kind == CLIF_NAME_LIBCALL ? CLIF_NONE : find(x, x->funcs.p[f], to);
            LinkSym s = in;
            if (in == CLIF_NONE) {
                s = to.kind == CLIF_NAME_LIBCALL ? linkable_libcall(k, (ClifLibCall)to.a)
                                                 : linkable_text_name(k, x->funcs.p[f], to);
                if (to.kind != CLIF_NAME_LIBCALL || to.a == CLIF_LIBCALL_X86_PSHUFB)
                    define_host(x, k, s, target_of(x, x->funcs.p[f], rl.name), d);
            }
            rl.name = clif_user_name(0, s);
            vec_push(x->m, &relocs, rl);
        }
        MachCompiled c = {.code = n->bytes,
                          .size = n->size,
                          .alignment = x->isa->code_alignment,
                          .relocs = relocs.p,
                          .num_relocs = relocs.n};
        ok = linkable_define_func(k, f, &(LinkCode){.code = &c}, d);
    }
    vec_free(x->m, &relocs);
    return ok;
}

static bool load_shared(Native *x, const VecU8 *file) {
    int fd = x->fd = memfd_create("cot", MFD_CLOEXEC);
    char path[48];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (fd >= 0 && write(fd, file->p, file->n) == (ssize_t)file->n)
        x->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!x->library) return ft_fail(x->t, 1, "target %s: %s", x->target, dlerror());
    struct link_map *map = NULL;
    dlinfo(x->library, RTLD_DI_LINKMAP, &map);
    x->code = (uint8_t *)map->l_addr;
    for (uint32_t k = 0; k < x->out.n; k++) {
        char name[24];
        shared_name(name, k);
        if (!x->out.p[k].bytes) continue;
        void *at = dlsym(x->library, name);
        if (!at) return ft_fail(x->t, 1, "target %s: %s is missing", x->target, name);
        x->out.p[k].at = (uint32_t)((uint8_t *)at - x->code);
    }
    return true;
}

/* The library that `linker` makes of an object, with whatever of the C library is missing left to the loader. */
static bool link_object(Native *x, VecU8 *file) {
    char dir[] = "/tmp/cot-test-XXXXXX", object[64], library[64], command[1024];
    if (!mkdtemp(dir)) return ft_fail(x->t, 1, "no temporary folder");
    snprintf(object, sizeof object, "%s/f.o", dir);
    snprintf(library, sizeof library, "%s/f.so", dir);
    snprintf(command, sizeof command, "%s -o %s %s", x->t->opt->linker, library, object);
    FILE *f = fopen(object, "wb");
    bool ok = f && fwrite(file->p, 1, file->n, f) == file->n;
    if (f && fclose(f) != 0) ok = false;
    ok = ok && system(command) == 0;
    vec_clear(file);
    f = ok ? fopen(library, "rb") : NULL;
    ok = f != NULL;
    for (size_t n = 1; ok && n;) {
        vec_reserve(x->m, file, (uint64_t)file->n + 65536);
        file->n += (uint32_t)(n = fread(file->p + file->n, 1, 65536, f));
    }
    if (f) fclose(f);
    unlink(object);
    unlink(library);
    rmdir(dir);
    return ok || ft_fail(x->t, 1, "target %s: `%s` failed", x->target, command);
}

/* The same functions through object/ and the system's loader. */
static bool place_shared(Native *x) {
    static uint8_t somewhere; /* functions get their addresses later */
    Linkable k;
    VecU8 file = {0};
    Diag d;
    ObjectTarget target;
    diag_clear(&d);
    linkable_init(&k, x->m, x->isa);
    x->code = &somewhere;
    drop_dependents(x);
    bool ok = object_target(NULL, &target, &d) && define_shared(x, &k, &d);
    x->code = NULL;
    if (ok) {
        ObjectOptions o = {.kind = x->t->opt->linker ? OBJECT_RELOCATABLE : OBJECT_SHARED,
                           .math_library = target.math_library};
        ok = object_write(target.format, &k, &o, &file, &d);
    }
    ok = ok ? (!x->t->opt->linker || link_object(x, &file)) && load_shared(x, &file)
            : ft_fail(x->t, 1, "target %s: %s", x->target, d.msg);
    vec_free(x->m, &file);
    linkable_free(&k);
    return ok;
}

/* ---- calling ---- */
/* A call that computes for longer gets a signal: the clock is the thread's own, so a busy machine does not matter. */
static bool make_timer(Native *x) {
#if defined(__linux__)
    struct sigevent ev = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = TIMEOUT_SIGNAL};
    ev._sigev_un._tid = (pid_t)syscall(SYS_gettid);
    return timer_create(CLOCK_THREAD_CPUTIME_ID, &ev, &x->timer) == 0;
#else
    (void)x;
    return false;
#endif
}
static void allow_seconds(const Native *x, int seconds) { /* 0: as many as it likes */
    struct itimerspec at = {.it_value.tv_sec = seconds};
    if (x->has_timer) timer_settime(x->timer, 0, &at, NULL);
}

static int call(const Native *x, uint32_t func, uint8_t (*values)[16]) {
    typedef void (*Entry)(const void *callee, void *values);
    const NativeFunc *a = &x->out.p[x->out.n / 2 + func];
    Entry entry = (Entry)(uintptr_t)(x->code + a->at);
    sigjmp_buf back;
    fault_signal = 0;
    if (!sigsetjmp(back, 1)) {
        fault_back = &back;
#if defined(__x86_64__)
        running = x;
#endif
        allow_seconds(x, MAX_SECONDS);
        entry(x->code + x->out.p[func].at, values);
    }
    fault_back = NULL;
    allow_seconds(x, 0);
    return fault_signal;
}

/* The code of the trap that the last fault was; CLIF_TRAP_NONE: it was none. */
static ClifTrap fault_trap(const Native *x) {
    uintptr_t at = fault_pc - (uintptr_t)x->code;
    for (uint32_t k = 0; k < x->out.n; k++) {
        const NativeFunc *n = &x->out.p[k];
        if (!n->bytes || at < n->at || at - n->at >= n->size) continue;
        for (uint32_t r = n->first_trap; r < n->first_trap + n->ntraps; r++)
            if (x->traps.p[r].offset == at - n->at) return x->traps.p[r].code;
    }
    return CLIF_TRAP_NONE;
}

/* How the last call ended: "[1, 2]", "trap heap_oob", "no end after 2 seconds", "signal 11". */
static void put_end(const Native *x, const ClifFunc *f, uint8_t (*values)[16], int sig, StrBuf *o) {
    char buf[16];
    ClifTrap trap = sig ? fault_trap(x) : CLIF_TRAP_NONE;
    if (trap != CLIF_TRAP_NONE) {
        sb_printf(o, "trap %s", clif_trap_name(trap, buf));
        return;
    }
    if (sig == TIMEOUT_SIGNAL) {
        sb_printf(o, "no end after %d seconds", MAX_SECONDS);
        return;
    }
    if (sig) {
        sb_printf(o, "signal %d", sig);
        return;
    }
    sb_putc(o, '[');
    for (uint32_t j = 0; j < f->sig.nreturns; j++) {
        ClifConstValue v = {.type = (ClifType)f->abi_params.p[f->sig.returns + j].type};
        memcpy(v.bytes, values[j], clif_type_bytes(v.type));
        if (j) sb_puts(o, ", ");
        clif_print_const_value(o, &v);
    }
    sb_putc(o, ']');
}

/* ---- against the interpreter ---- */
static bool lane_is_nan(const uint8_t *p, unsigned bytes) {
    unsigned t = bytes == 2 ? 10 : bytes == 4 ? 23 : bytes == 8 ? 52 : 112, bits = bytes * 8;
    bool exp = true, frac = false;
    for (unsigned b = 0; b < bits - 1; b++) {
        bool set = p[b / 8] >> (b % 8) & 1;
        if (b < t)
            frac |= set;
        else
            exp &= set;
    }
    return exp && frac;
}

static bool equivalent(const uint8_t *a, const uint8_t *b, ClifType t) {
    unsigned lane = clif_lane_bits(t) / 8;
    for (unsigned k = 0; k < clif_type_lanes(t); k++, a += lane, b += lane) {
        if (!memcmp(a, b, lane)) continue;
        if (!clif_type_is_float(clif_lane_type(t)) || !lane_is_nan(a, lane) ||
            !lane_is_nan(b, lane))
            return false;
    }
    return true;
}

static void compared(Native *x, uint32_t k, const ClifComment *cm, const ClifRunCommand *rc,
                     uint8_t (*values)[16], int sig, FtCounts *c) {
    Ft *t = x->t;
    ClifConstValues want = {0};
    ClifTrap trap;
    Diag d;
    diag_clear(&d);
    bool ok = ft_interpret_one(t, k, rc, &want, &trap, &d),
         same = ok ? !sig : sig != 0 && trap != CLIF_TRAP_NONE && fault_trap(x) == trap;
    for (uint32_t j = 0; same && j < want.n; j++)
        same = equivalent(values[j], want.p[j].bytes, want.p[j].type);
    if (!ok && trap == CLIF_TRAP_NONE) { /* the interpreter has no meaning for it */
        if (!x->again) ft_skip(t, cm->line, x->target, d.msg);
    } else if (same) {
        c->passed++;
    } else {
        c->failed++;
        char buf[16];
        sb_clear(&t->sb);
        put_end(x, x->funcs.p[k], values, sig, &t->sb);
        sb_puts(&t->sb, ", in the interpreter ");
        for (uint32_t j = 0; ok && j < want.n; j++) {
            sb_puts(&t->sb, j ? ", " : "[");
            clif_print_const_value(&t->sb, &want.p[j]);
        }
        if (ok)
            sb_puts(&t->sb, want.n ? "]" : "[]");
        else
            sb_printf(&t->sb, "trap %s", clif_trap_name(trap, buf));
        ft_fail(t, cm->line, "target %s: %.*s: natively %s", x->target, (int)cm->text.n, cm->text.p,
                sb_cstr(&t->sb));
    }
    vec_free(t->mem, &want);
}

/* The name in a command is for the reader: what is called is the function that the command follows. */
static void command(Native *x, uint32_t k, const ClifComment *cm, const ClifRunCommand *rc,
                    FtCounts *c) {
    Ft *t = x->t;
    const ClifFunc *f = x->funcs.p[k];
    uint32_t half = x->out.n / 2;
    const NativeFunc *need = !x->out.p[k].bytes          ? &x->out.p[k]
                             : !x->out.p[half + k].bytes ? &x->out.p[half + k]
                                                         : NULL;
    if (need) {
        if (!x->again) ft_skip(t, cm->line, x->target, need->why);
        return;
    }
    static _Thread_local _Alignas(16) uint8_t values[MAX_VALUES][16];
    memset(values, 0, sizeof values);
    for (uint32_t j = 0; j < rc->args.n; j++) memcpy(values[j], rc->args.p[j].bytes, 16);
    int sig = call(x, k, values);
    if (t->kind == FT_COMPARE) {
        compared(x, k, cm, rc, values, sig, c);
        return;
    }
    bool same = true;
    for (uint32_t j = 0; j < rc->results.n; j++)
        same &= !memcmp(values[j], rc->results.p[j].bytes, clif_type_bytes(rc->results.p[j].type));
    sb_clear(&t->sb);
    if (rc->print && !sig) {
        put_end(x, f, values, sig, &t->sb);
        if (!x->again) ft_print(t, cm, x->target);
    } else if (sig || same == rc->negate) {
        put_end(x, f, values, sig, &t->sb);
        ft_fail(t, cm->line, "target %s: %.*s: %s%s", x->target, (int)cm->text.n, cm->text.p,
                sig ? "" : "the result is ", sb_cstr(&t->sb));
        c->failed++;
        return;
    }
    c->passed++;
}

/* ---- one target ---- */
/* Settings and features after the header's lines up to this target; false: *why it cannot run here. */
static bool settings(const IsaVtable *isa, MachSettings *shared, ClifStr words, MachSettings *set,
                     Diag *why) {
    *set = *shared;
    set->regalloc_checker = set->verify_input = true;
    if (!settings_parse_words(set, isa, words.p, words.n, why)) return false;
    uint64_t lacks = set->isa_flags & ~isa->host_flags();
    if (lacks)
        return diag_msg(why, DIAG_UNSUPPORTED, "this processor lacks %s",
                        isa->flag_names[__builtin_ctzll(lacks)]);
    if (set->enable_pinned_reg)
        return diag_msg(why, DIAG_UNSUPPORTED, "the pinned register is the caller's");
    return true;
}

static void read_again(Native *x) { /* compiling changes functions, so these are copies */
    Diag d;
    diag_clear(&d);
    ClifReader *r = clif_reader_new(x->m, x->t->text, x->t->n, &d);
    for (;;) {
        ClifFunc *f = mem_alloc(x->m, sizeof *f);
        clif_func_init(f, x->m);
        if (!clif_reader_next(r, f, NULL)) {
            clif_func_free(f);
            mem_free(x->m, f, sizeof *f);
            break;
        }
        if (find(x, f, f->name) == CLIF_NONE) {
            uint64_t key = name_key(f, f->name);
            while (hashmap_find(&x->by_name, key)) key++;
            hashmap_set(x->m, &x->by_name, key, x->funcs.n);
        }
        vec_push(x->m, &x->funcs, f);
    }
    clif_reader_free(r);
}

static void commands(Native *x, FtCounts *c) {
    Ft *t = x->t;
    for (uint32_t k = 0; k < t->funcs.n; k++) {
        const ClifComments *cs = &t->details.p[k]->comments;
        for (uint32_t j = 0; j < cs->n; j++) {
            ClifRunCommand rc;
            Diag d;
            diag_clear(&d);
            if (clif_parse_run_command(t->mem, t->funcs.p[k], &cs->p[j], &rc, &d)) {
                command(x, k, &cs->p[j], &rc, c);
            } else if (d.kind != DIAG_NONE) {
                ft_fail(t, cs->p[j].line, "%s", d.msg);
                c->failed++;
            }
            clif_run_command_free(&rc, t->mem);
        }
    }
}

static void run_with(Ft *t, const IsaVtable *isa, const MachSettings *set, const char *name,
                     bool again, FtCounts *c) {
    Native nat = {.t = t, .m = t->mem, .isa = isa, .target = name, .again = again, .fd = -1},
           *x = &nat;
    MachSettings pic = *set;
    if (t->opt->shared) pic.is_pic = true;
    pic.stress_seed = t->opt->stress;
    x->mach = mach_ctx_new(x->m, isa, &pic);
    x->has_timer = make_timer(x);
    clif_builder_init(&x->b, x->m);
    read_again(x);
    uint32_t n = x->funcs.n;
    bool ok = true;
    for (uint32_t k = 0; k < n; k++) {
        vec_push(x->m, &x->out, (NativeFunc){0});
        ok &= compile(x, k);
    }
    for (uint32_t k = 0; k < n; k++) {
        vec_push(x->m, &x->out, (NativeFunc){0});
        if (!callable(x->funcs.p[k])) {
            ClifFunc *none = mem_alloc(x->m, sizeof *none);
            clif_func_init(none, x->m);
            vec_push(x->m, &x->funcs, none);
            missing(&x->out.p[n + k], "its signature cannot be called from here");
            continue;
        }
        vec_push(x->m, &x->funcs, adapter(x, x->funcs.p[k]));
        ok &= compile(x, n + k);
    }
    if (!ok) c->failed++;
    if (t->opt->shared ? place_shared(x) : place(x))
        commands(x, c);
    else
        c->failed++;
    if (x->library) dlclose(x->library);
    if (x->fd >= 0) close(x->fd);
    if (x->mapped) munmap(x->code, x->mapped);
    for (uint32_t k = 0; k < x->out.n; k++)
        if (x->out.p[k].bytes) mem_free(x->m, x->out.p[k].bytes, x->out.p[k].size + 1);
    for (uint32_t k = 0; k < x->funcs.n; k++) {
        clif_func_free(x->funcs.p[k]);
        mem_free(x->m, x->funcs.p[k], sizeof(ClifFunc));
    }
    vec_free(x->m, &x->funcs);
    vec_free(x->m, &x->out);
    vec_free(x->m, &x->relocs);
    vec_free(x->m, &x->traps);
    vec_free(x->m, &x->calls);
    vec_free(x->m, &x->handlers);
    hashmap_free(x->m, &x->by_name);
    clif_builder_free(&x->b);
    mach_ctx_free(x->mach);
    if (x->has_timer) timer_delete(x->timer);
}

static void run_target(Ft *t, const IsaVtable *isa, const MachSettings *set, const char *name,
                       FtCounts *c) {
    uint32_t failed = c->failed;
    run_with(t, isa, set, name, false, c);
    if (c->failed > failed || t->opt->regalloc) return;
    MachSettings other = *set;
    other.regalloc_algorithm ^= 1;
    FtCounts second = {0};
    char what[80];
    snprintf(what, sizeof what, "%s, the other allocator", name);
    run_with(t, isa, &other, what, true, &second);
    c->failed += second.failed;
}

void ft_run(Ft *t, FtCounts *c) {
    const IsaVtable *isa = isa_host();
    uint32_t n, targets = 0, here = 0;
    const ClifHeaderLine *h = clif_reader_header(t->reader, &n);
    stack_t alt = {.ss_sp = mem_alloc(t->mem, ALT_STACK), .ss_size = ALT_STACK}, old;
    sigaltstack(&alt, &old);
    catch_faults();
    MachSettings shared = mach_settings_default(), set;
    if (t->opt->regalloc) shared.regalloc_algorithm = (uint8_t)(t->opt->regalloc - 1);
    Diag why;
    diag_clear(&why);
    bool ok = true;
    for (uint32_t k = 0; isa && ok && k < n; k++) {
        ClifStr words = h[k].text, arch;
        if (h[k].kind == CLIF_HEADER_SET)
            ok = settings_parse_words(&shared, NULL, words.p, words.n, &why);
        if (h[k].kind != CLIF_HEADER_TARGET || !clif_str_word(&words, &arch)) continue;
        targets++;
        if (!clif_str_is(arch, isa->name)) continue;
        here++;
        char name[64];
        uint32_t len = h[k].text.n < sizeof name - 1 ? h[k].text.n : (uint32_t)sizeof name - 1;
        memcpy(name, h[k].text.p, len);
        name[len] = 0;
        diag_clear(&why);
        if (settings(isa, &shared, words, &set, &why))
            run_target(t, isa, &set, name, c);
        else
            ft_skip(t, 0, name, why.msg);
    }
    if (!ok) ft_skip(t, 0, "", why.msg);
    if (isa && ok && !targets) {
        set = shared;
        set.isa_flags = isa->host_flags();
        run_target(t, isa, &set, isa->name, c);
    }
    if (!isa || (ok && targets && !here)) ft_skip(t, 0, "", "no target is this machine's");
    sigaltstack(&old, NULL);
    mem_free(t->mem, alt.ss_sp, ALT_STACK);
}

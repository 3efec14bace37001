/* exe/start.c — from the kernel to main, without a C library: what a static position-independent program must do for itself.
 *
 * Order       relocate (until then nothing that needs a relocated address is touched: this file's functions and the headers
 *             only); thread-local block; RELRO; main.
 * Ref         System V ABI, AMD64 supplement, 3.4 (initial stack), 5; ELF TLS, variant II. */
#include <elf.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "exe/exe.h"

extern const Elf64_Ehdr __ehdr_start;
char **environ;
static const Elf64_auxv_t *auxv;

/* rdi: the initial stack. */
__asm__(".globl _start\n"
        ".type _start, @function\n"
        "_start:\n"
        "    xor %ebp, %ebp\n"
        "    mov %rsp, %rdi\n"
        "    lea _DYNAMIC(%rip), %rsi\n"
        "    and $-16, %rsp\n"
        "    call exe_start\n"
        "    ud2\n"
        ".size _start, . - _start\n");

/* jmp_buf of <setjmp.h> is larger than what is kept here. */
__asm__(".globl _setjmp\n"
        ".type _setjmp, @function\n"
        "_setjmp:\n"
        "    mov %rbx, 0(%rdi)\n"
        "    mov %rbp, 8(%rdi)\n"
        "    mov %r12, 16(%rdi)\n"
        "    mov %r13, 24(%rdi)\n"
        "    mov %r14, 32(%rdi)\n"
        "    mov %r15, 40(%rdi)\n"
        "    lea 8(%rsp), %rdx\n"
        "    mov %rdx, 48(%rdi)\n"
        "    mov (%rsp), %rdx\n"
        "    mov %rdx, 56(%rdi)\n"
        "    xor %eax, %eax\n"
        "    ret\n"
        ".size _setjmp, . - _setjmp\n"
        ".globl longjmp\n"
        ".type longjmp, @function\n"
        "longjmp:\n"
        "    mov %esi, %eax\n"
        "    test %eax, %eax\n"
        "    jnz 1f\n"
        "    inc %eax\n"
        "1:  mov 0(%rdi), %rbx\n"
        "    mov 8(%rdi), %rbp\n"
        "    mov 16(%rdi), %r12\n"
        "    mov 24(%rdi), %r13\n"
        "    mov 32(%rdi), %r14\n"
        "    mov 40(%rdi), %r15\n"
        "    mov 48(%rdi), %rsp\n"
        "    jmp *56(%rdi)\n"
        ".size longjmp, . - longjmp\n");

static inline const char *base(void) {
    return (const char *)&__ehdr_start;
}

/* The linker leaves nothing but relative relocations to such a program. */
static void relocate(const Elf64_Dyn *d) {
    const Elf64_Rela *r = NULL;
    size_t size = 0;
    for (; d->d_tag != DT_NULL; d++) {
        if (d->d_tag == DT_RELA) r = (const Elf64_Rela *)(base() + d->d_un.d_ptr);
        if (d->d_tag == DT_RELASZ) size = d->d_un.d_val;
    }
    for (size_t n = size / sizeof *r; n--; r++) {
        if (ELF64_R_TYPE(r->r_info) != R_X86_64_RELATIVE) __builtin_trap();
        *(uintptr_t *)(uintptr_t)(base() + r->r_offset) =
            (uintptr_t)base() + (uintptr_t)r->r_addend;
    }
}

/* Variables lie below the thread pointer, which points to itself. */
static void thread_local_block(const Elf64_Phdr *p) {
    static struct {
        _Alignas(64) uint8_t vars[1024];
        void *self;
        void *rest[15];
    } block;
    if (p->p_memsz > sizeof block.vars || p->p_align > 64) __builtin_trap();
    size_t size = (p->p_memsz + p->p_align - 1) & ~(p->p_align - 1);
    memcpy(block.vars + sizeof block.vars - size, base() + p->p_vaddr, p->p_filesz);
    block.self = &block.self;
    enum { ARCH_SET_FS = 0x1002 };
    if (exe_syscall(158 /* arch_prctl */, ARCH_SET_FS, (long)&block.self, 0, 0, 0, 0))
        __builtin_trap();
}

static void segments(void) {
    const Elf64_Phdr *p = (const void *)(base() + __ehdr_start.e_phoff);
    for (unsigned n = __ehdr_start.e_phnum; n--; p++) {
        if (p->p_type == PT_TLS) thread_local_block(p);
        if (p->p_type == PT_GNU_RELRO) {
            uintptr_t from = (uintptr_t)(base() + p->p_vaddr) & ~(uintptr_t)4095;
            uintptr_t to = (uintptr_t)(base() + p->p_vaddr + p->p_memsz) & ~(uintptr_t)4095;
            exe_syscall(10 /* mprotect */, (long)from, (long)(to - from), PROT_READ, 0, 0, 0);
        }
    }
}

_Noreturn void exe_start(long *stack, const Elf64_Dyn *dynamic);

unsigned long getauxval(unsigned long type) {
    for (const Elf64_auxv_t *a = auxv; a->a_type != AT_NULL; a++)
        if (a->a_type == type) return a->a_un.a_val;
    return 0;
}

_Noreturn void exe_start(long *stack, const Elf64_Dyn *dynamic) {
    relocate(dynamic);
    int argc = (int)stack[0];
    char **argv = (char **)(stack + 1), **end = environ = argv + argc + 1;
    while (*end) end++;
    auxv = (const Elf64_auxv_t *)(const void *)(end + 1);
    segments();
    _exit(exe_main(argc, argv));
}

/* compiler/pages.c — see pages.h.
 *
 * Problem     The first touch of a page costs the kernel 1 to 2 µs, and threads that touch new pages wait for each other. Compiling a
 *             megabyte of Wasm once at -O0 touches 18 MB: a tenth of its time, and most of what a second thread could not gain.
 * Idea        A large block begins at a multiple of 2 MB and asks for huge pages (MADV_HUGEPAGE), which cost a twentieth per byte. It is
 *             rounded up to whole huge pages if that is less than half of one more, so blocks stay below twice
 *             what was asked for. Growing moves the pages, not the bytes (mremap).
 * Limits      Elsewhere than on Linux, and under sanitizers, which do not look into pages, all blocks are the C library's. */
#if defined __linux__ && !defined __SANITIZE_ADDRESS__ && !defined __SANITIZE_THREAD__
#if defined __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
    __has_feature(memory_sanitizer)
#define ALL_FROM_LIBC
#endif
#endif
#else
#define ALL_FROM_LIBC
#endif

#ifndef ALL_FROM_LIBC
#define _GNU_SOURCE 1 /* mremap */
#include <sys/mman.h>
#endif
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "compiler/pages.h"

static void *libc_realloc(void *old, size_t new_size) {
    if (new_size) return realloc(old, new_size);
    free(old);
    return NULL;
}

#ifdef ALL_FROM_LIBC
static void *pages_realloc(void *user, void *old, size_t old_size, size_t new_size) {
    (void)user;
    (void)old_size;
    return libc_realloc(old, new_size);
}
#else
enum { PAGE = 4096, HUGE = 2 << 20, LARGE = HUGE / 2 };

/* Bytes mapped for a block. */
static size_t mapped(size_t n) {
    size_t huge = (n + HUGE - 1) & ~(size_t)(HUGE - 1);
    return huge - n < HUGE / 2 ? huge : (n + PAGE - 1) & ~(size_t)(PAGE - 1);
}

/* n bytes of address space at a multiple of HUGE. */
static void *aligned(size_t n, int prot) {
    size_t room = n + HUGE;
    char *p = mmap(NULL, room, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) return NULL;
    size_t before = (0 - (uintptr_t)p) & (HUGE - 1), after = room - before - n;
    if (before) munmap(p, before);
    if (after) munmap(p + before + n, after);
    return p + before;
}

static void *large(size_t n) {
    size_t m = mapped(n);
    void *p = aligned(m, PROT_READ | PROT_WRITE);
    if (p) madvise(p, m, MADV_HUGEPAGE); /* a wish */
    return p;
}

static void *resize_large(void *old, size_t old_size, size_t new_size) {
    size_t from = mapped(old_size), to = mapped(new_size);
    if (to == from) return old;
    if (to < from) {
        munmap((char *)old + to, from - to);
        return old;
    }
    void *p = aligned(to, PROT_NONE);
    if (!p) return NULL;
    if (mremap(old, from, to, MREMAP_MAYMOVE | MREMAP_FIXED, p) != MAP_FAILED) return p;
    munmap(p, to);
    return NULL;
}

static void *pages_realloc(void *user, void *old, size_t old_size, size_t new_size) {
    bool was_large = old && old_size >= LARGE, is_large = new_size >= LARGE;
    if (new_size > PTRDIFF_MAX - 2 * (size_t)HUGE) return NULL;
    if (was_large && is_large) return resize_large(old, old_size, new_size);
    if (!was_large && !is_large) return libc_realloc(old, new_size);
    if (!new_size) {
        munmap(old, mapped(old_size));
        return NULL;
    }
    void *p = is_large ? large(new_size) : malloc(new_size);
    if (p && old) {
        memcpy(p, old, old_size < new_size ? old_size : new_size);
        pages_realloc(user, old, old_size, 0);
    }
    return p;
}
#endif

const MemHooks pages_hooks = {pages_realloc, NULL};

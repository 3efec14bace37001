/* runtime/stack.c — how deep translated code may go on the stack it runs on.
 *
 * Problem     The stack check compares rsp with a limit; below it must lie enough real stack for what is not checked:
 *             one frame of less than 32 KiB that passed the check, a leaf frame of the same size (isa/x64/abi.c), and C: builtins, host
 *             functions, a signal frame. A thread's stack may be smaller than what the engine allows.
 * Idea        The limit is max_stack below the outermost call, but not lower than RESERVE above the end of the thread's
 *             stack. The ends of the stack are asked for once per thread. On a stack that is not the thread's own (a coroutine's)
 *             the ends are unknown and max_stack alone counts: its owner provides max_stack + RESERVE.
 * Cost        two comparisons per outermost call. */
#include <pthread.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <unistd.h>
#include "runtime/rt_int.h"

#define RESERVE RT_HOST_STACK

static _Thread_local uintptr_t lowest, highest; /* 0, 0: not asked yet; 1, 1: unknown */

/* The first thread's stack begins at the name of the program, the last thing that the system puts on it, and may grow to the
 * process's limit. (The C library would read /proc/self/maps to say so.) False: we are not on it. */
static bool ask_first(uintptr_t at) {
    const char *name = (const char *)(uintptr_t)getauxval(AT_EXECFN);
    struct rlimit r;
    if (getpid() != gettid() || !name || getrlimit(RLIMIT_STACK, &r)) return false;
    uintptr_t top = ((uintptr_t)name + strlen(name) + 4096) & ~(uintptr_t)4095;
    if (r.rlim_cur >= top || at >= top || at < top - (uintptr_t)r.rlim_cur) return false;
    highest = top;
    lowest = top - (uintptr_t)r.rlim_cur;
    return true;
}

static void ask(uintptr_t at) {
    if (ask_first(at)) return;
    lowest = highest = 1;
    pthread_attr_t a;
    void *p;
    size_t size;
    if (pthread_getattr_np(pthread_self(), &a)) return;
    if (pthread_attr_getstack(&a, &p, &size) == 0) {
        lowest = (uintptr_t)p;
        highest = lowest + size;
    }
    pthread_attr_destroy(&a);
}

uint64_t rt_stack_limit(const void *frame, uint64_t max_stack) {
    uintptr_t at = (uintptr_t)frame;
    if (!highest) ask(at);
    uint64_t limit = at > max_stack ? at - max_stack : 0;
    if (at > lowest && at < highest && limit < lowest + RESERVE) limit = lowest + RESERVE;
    return limit ? limit : 1;
}

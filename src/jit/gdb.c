/* jit/gdb.c — gdb's interface for code in memory (GDB manual, "JIT Compilation Interface"): a list of symbol files in memory, and a
 * function on which the debugger has a breakpoint. Their names and that they are global are the debugger's wish; they are weak, so
 * that several compilers in one program share them. */
#include "jit/publish.h"
#include "object/object.h"
#include <pthread.h>

typedef struct JitGdb { /* the debugger reads this */
    struct JitGdb *next, *prev;
    const uint8_t *file;
    uint64_t size;
    size_t room; /* of the whole block; ours */
} JitGdb;
typedef struct Descriptor {
    uint32_t version, action;
    JitGdb *relevant, *first;
} Descriptor;
enum { ACTION_NONE, ACTION_REGISTER, ACTION_UNREGISTER };

#define GLOBAL __attribute__((weak, visibility("default")))
GLOBAL Descriptor __jit_debug_descriptor = {1, ACTION_NONE, NULL, NULL};
GLOBAL __attribute__((noinline)) void __jit_debug_register_code(void);
void __jit_debug_register_code(void) {
    __asm__ volatile("" ::: "memory");
}
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

JitGdb *jit_gdb_add(Mem *m, const ObjectMemory *what) {
    VecU8 file = {0};
    Diag d;
    diag_clear(&d);
    if (!object_describe(m, what, &file, &d)) return NULL;
    size_t room = sizeof(JitGdb) + file.n;
    JitGdb *g = mem_alloc(m, room);
    *g = (JitGdb){.file = (uint8_t *)(g + 1), .size = file.n, .room = room};
    memcpy(g + 1, file.p, file.n);
    vec_free(m, &file);
    Descriptor *list = &__jit_debug_descriptor;
    pthread_mutex_lock(&lock);
    g->next = list->first;
    if (g->next) g->next->prev = g;
    list->first = list->relevant = g;
    list->action = ACTION_REGISTER;
    __jit_debug_register_code();
    list->action = ACTION_NONE;
    pthread_mutex_unlock(&lock);
    return g;
}

void jit_gdb_remove(Mem *m, JitGdb *g) {
    if (!g) return;
    Descriptor *list = &__jit_debug_descriptor;
    pthread_mutex_lock(&lock);
    if (g->prev)
        g->prev->next = g->next;
    else
        list->first = g->next;
    if (g->next) g->next->prev = g->prev;
    list->relevant = g;
    list->action = ACTION_UNREGISTER;
    __jit_debug_register_code();
    list->action = ACTION_NONE;
    pthread_mutex_unlock(&lock);
    mem_free(m, g, g->room);
}

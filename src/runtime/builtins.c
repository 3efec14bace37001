/* runtime/builtins.c — what translated code calls: the rows of image/builtins.def, C convention, context last.
 * A trap unwinds to rt_call; nothing is held across it. Bounds are checked in 64 bits without overflow. */
#include "image/routine.h"
#include "runtime/rt_int.h"

static bool in_range(uint64_t at, uint64_t n, uint64_t size) {
    return at <= size && n <= size - at;
}

static void bi_raise(uint32_t code, void *vm) {
    (void)vm;
    RT_RAISE((VmTrap)code);
}

static uint64_t bi_memory_grow(uint64_t delta, uint32_t mem, void *vm) {
    return rt_memory_grow(rt_of(vm)->memories[mem], delta);
}

static void bi_memory_copy(uint64_t dst, uint64_t src, uint64_t n, uint32_t dm, uint32_t sm,
                           void *vm) {
    RtInstance *i = rt_of(vm);
    VmMemory *d = &i->memories[dm]->vm, *s = &i->memories[sm]->vm;
    if (!in_range(dst, n, d->bytes) || !in_range(src, n, s->bytes))
        RT_RAISE(VM_TRAP_MEMORY_OUT_OF_BOUNDS);
    if (n) memmove(d->base + dst, s->base + src, n);
}

static void bi_memory_fill(uint64_t dst, uint32_t byte, uint64_t n, uint32_t mem, void *vm) {
    VmMemory *d = &rt_of(vm)->memories[mem]->vm;
    if (!in_range(dst, n, d->bytes)) RT_RAISE(VM_TRAP_MEMORY_OUT_OF_BOUNDS);
    if (n) memset(d->base + dst, (int)(byte & 255), n);
}

bool rt_memory_init_segment(RtInstance *i, uint32_t mem, uint32_t seg, uint64_t dst, uint64_t src,
                            uint64_t n) {
    const ImgData *s = &i->module->img.datas[seg];
    VmMemory *d = &i->memories[mem]->vm;
    uint64_t len = i->data_dropped[seg] ? 0 : s->n;
    if (!in_range(src, n, len) || !in_range(dst, n, d->bytes)) return false;
    if (n) memcpy(d->base + dst, i->module->img.bytes + s->off + src, n);
    return true;
}

static void bi_memory_init(uint64_t dst, uint64_t src, uint64_t n, uint32_t mem, uint32_t seg,
                           void *vm) {
    if (!rt_memory_init_segment(rt_of(vm), mem, seg, dst, src, n))
        RT_RAISE(VM_TRAP_MEMORY_OUT_OF_BOUNDS);
}

static void bi_data_drop(uint32_t seg, void *vm) {
    rt_of(vm)->data_dropped[seg] = true;
}

static uint64_t bi_table_grow(uint64_t init, uint64_t delta, uint32_t table, void *vm) {
    RtInstance *i = rt_of(vm);
    return rt_table_grow(i->tables[table], delta, (void *)(uintptr_t)init);
}

static void bi_table_fill(uint64_t dst, uint64_t value, uint64_t n, uint32_t table, void *vm) {
    VmTable *t = &rt_of(vm)->tables[table]->vm;
    if (!in_range(dst, n, t->length)) RT_RAISE(VM_TRAP_TABLE_OUT_OF_BOUNDS);
    for (uint64_t k = 0; k < n; k++) t->elems[dst + k] = (void *)(uintptr_t)value;
}

static void bi_table_copy(uint64_t dst, uint64_t src, uint64_t n, uint32_t dt, uint32_t st,
                          void *vm) {
    RtInstance *i = rt_of(vm);
    VmTable *d = &i->tables[dt]->vm, *s = &i->tables[st]->vm;
    if (!in_range(dst, n, d->length) || !in_range(src, n, s->length))
        RT_RAISE(VM_TRAP_TABLE_OUT_OF_BOUNDS);
    if (n) memmove(d->elems + dst, s->elems + src, n * sizeof(void *));
}

bool rt_table_init_segment(RtInstance *i, uint32_t table, uint32_t seg, uint64_t dst, uint64_t src,
                           uint64_t n) {
    const Image *m = &i->module->img;
    const ImgElem *s = &m->elems[seg];
    VmTable *t = &i->tables[table]->vm;
    uint64_t len = i->elem_dropped[seg] ? 0 : s->n;
    if (!in_range(src, n, len) || !in_range(dst, n, t->length)) return false;
    for (uint64_t k = s->first + src; n--; k++, dst++) {
        if (s->exprs)
            t->elems[dst] = rt_const_eval(i, m->elem_exprs[k]).ref;
        else
            t->elems[dst] = m->elem_funcs[k] == IMG_NONE ? NULL : rt_funcref(i, m->elem_funcs[k]);
    }
    return true;
}

static void bi_table_init(uint64_t dst, uint64_t src, uint64_t n, uint32_t table, uint32_t seg,
                          void *vm) {
    if (!rt_table_init_segment(rt_of(vm), table, seg, dst, src, n))
        RT_RAISE(VM_TRAP_TABLE_OUT_OF_BOUNDS);
}

static void bi_elem_drop(uint32_t seg, void *vm) {
    rt_of(vm)->elem_dropped[seg] = true;
}

static void bi_interrupt(void *vm) {
    if (__atomic_exchange_n(&rt_of(vm)->store->limits.interrupt, 0, __ATOMIC_SEQ_CST))
        RT_RAISE(VM_TRAP_INTERRUPT);
}

const void *const rt_builtins[VM_BUILTIN_COUNT] = {
#define VM_BUILTIN(NAME, name, ...) [VM_BUILTIN_##NAME] = (const void *)(uintptr_t)bi_##name,
#include "image/builtins.def"
#undef VM_BUILTIN
};

/* ---- routines that the code calls through its slots ---- */
static void raise_from_stub(uint32_t code) {
    RT_RAISE((VmTrap)code);
}

const void *rt_routine(uint32_t routine) {
    return routine == IMG_ROUTINE_RAISE_TRAP ? (const void *)(uintptr_t)raise_from_stub
                                             : img_routine_address(routine);
}

/* rtapi/store.c — stores and their traps. */
#include <stdio.h>
#include "rtapi/rtapi.h"

CotStore *cot_store_new(CotEngine *e, CotError *error) {
    RtStore *s = rt_store_new(engine_rt(e));
    if (!s) api_fail(error, COT_NO_MEMORY, "out of memory");
    return store_api(s);
}
void cot_store_free(CotStore *s) {
    rt_store_free(store_rt(s));
}
void cot_store_interrupt(CotStore *s) {
    rt_store_interrupt(store_rt(s));
}
void cot_store_clear_interrupt(CotStore *s) {
    rt_store_clear_interrupt(store_rt(s));
}

/* ---- traps ---- */
#define SAME(Public, code) _Static_assert((int)(Public) == (int)(code), "numbers of trap codes")
SAME(COT_TRAP_UNREACHABLE, VM_TRAP_UNREACHABLE);
SAME(COT_TRAP_TABLE_OUT_OF_BOUNDS, VM_TRAP_TABLE_OUT_OF_BOUNDS);
SAME(COT_TRAP_NULL_ELEMENT, VM_TRAP_INDIRECT_CALL_TO_NULL);
SAME(COT_TRAP_BAD_SIGNATURE, VM_TRAP_BAD_SIGNATURE);
SAME(COT_TRAP_INTERRUPT, VM_TRAP_INTERRUPT);
SAME(COT_TRAP_HOST, VM_TRAP_HOST);
SAME(COT_TRAP_UNDEFINED_ELEMENT, VM_TRAP_UNDEFINED_ELEMENT);
SAME(COT_TRAP_BAD_CONVERSION, VM_TRAP_BAD_CONVERSION);
SAME(COT_TRAP_DIVISION_BY_ZERO, VM_TRAP_DIVISION_BY_ZERO);
SAME(COT_TRAP_INTEGER_OVERFLOW, VM_TRAP_INTEGER_OVERFLOW);
SAME(COT_TRAP_MEMORY_OUT_OF_BOUNDS, VM_TRAP_MEMORY_OUT_OF_BOUNDS);
SAME(COT_TRAP_STACK_OVERFLOW, VM_TRAP_STACK_OVERFLOW);

const CotTrap *cot_store_trap(const CotStore *s) {
    const RtTrap *t = rt_store_trap(store_rt(s));
    return t->code == VM_TRAP_NONE ? NULL : trap_api(t);
}
int cot_store_exit_code(const CotStore *s) {
    return rt_store_trap(store_rt(s))->exit_code;
}
CotTrapCode cot_trap_code(const CotTrap *t) {
    return (CotTrapCode)trap_rt(t)->code;
}
const char *cot_trap_message(const CotTrap *t) {
    const RtTrap *r = trap_rt(t);
    return r->msg[0] ? r->msg : rt_trap_message(r->code);
}
size_t cot_trap_frame_count(const CotTrap *t) {
    return trap_rt(t)->num_frames;
}
bool cot_trap_has_more_frames(const CotTrap *t) {
    return trap_rt(t)->more_frames;
}

CotStatus cot_trap_frame(const CotTrap *t, size_t i, CotFrame *out) {
    const RtTrap *r = trap_rt(t);
    if (i >= r->num_frames) return COT_MISUSE;
    const RtFrame *f = &r->frames[i];
    const Image *m = rt_module_image(f->module);
    *out = (CotFrame){.module = module_api(f->module), .function = f->func, .offset = f->offset};
    if (f->func < m->nnames) {
        WasmStr s = img_str(m, m->names[f->func]);
        out->name = (CotName){s.p, s.n};
    }
    return COT_OK;
}

typedef struct Print {
    const RtTrap *t;
    StrBuf *to;
} Print;
static void print(void *arg) {
    Print *p = arg;
    rt_print_backtrace(p->t, p->to);
}

size_t cot_trap_print(const CotTrap *t, char *text, size_t size) {
    Mem mem;
    StrBuf sb;
    const RtTrap *r = trap_rt(t);
    mem_init(&mem, r->num_frames ? rt_module_hooks(r->frames[0].module) : NULL);
    sb_init(&sb, &mem);
    Print p = {r, &sb};
    size_t n = mem_guard(&mem, print, &p) ? sb.n : 0;
    if (size) {
        size_t put = n < size - 1 ? n : size - 1;
        if (put) memcpy(text, sb.p, put);
        text[put] = 0;
    }
    mem_release_all(&mem);
    return n;
}

/* runtime/trap.c — traps: from the place where they happen to an error with a backtrace.
 *
 * Idea        An activation is one rt_call: its jmp_buf is where a trap returns to. The frame-pointer chain gives the
 *             backtrace: translated functions always keep rbp, and the store knows which code is whose. Where translated
 *             code called a host function, the activation remembers the frame (dispatch in store.c), so that a trap in a
 *             nested call also shows the frames of the outer ones.
 * Invariants  1. The jump back crosses translated frames and the frames of builtins and of dispatch, never a host function's:
 *                these return to dispatch first.
 *             2. Nothing here allocates or locks: a signal handler runs it.
 * Cost        a trap: one binary search per frame, at most RT_MAX_FRAMES frames. */
#include "dwarf/dwarf.h"
#include "runtime/rt_int.h"

/* initial-exec: a signal handler may read it without the dynamic linker allocating on first use. */
static _Thread_local RtActivation *current __attribute__((tls_model("initial-exec")));

RtActivation *rt_current(void) {
    return current;
}

void rt_enter(RtActivation *a, RtStore *s) {
    a->prev = current;
    a->store = s;
    a->exit = NULL;
    current = a;
}

void rt_leave(RtActivation *a) {
    current = a->prev;
}

void rt_trap_clear(RtTrap *t) {
    t->code = VM_TRAP_NONE;
    t->exit_code = 0;
    t->msg[0] = 0;
    t->num_frames = 0;
    t->more_frames = false;
}

static void add_frame(RtTrap *t, const RtModule *m, uint32_t code_off) {
    uint32_t f = img_find_func(&m->img, code_off);
    if (f == IMG_NONE) return; /* an adapter */
    if (t->num_frames == RT_MAX_FRAMES) {
        t->more_frames = true;
        return;
    }
    t->frames[t->num_frames++] =
        (RtFrame){m, f + m->img.h->imported_funcs, img_find_loc(&m->img, code_off)};
}

/* Up to the entry adapter of one activation. */
static void walk(RtStore *s, const uint8_t *pc, const uint8_t *const *fp, bool at_fault) {
    RtTrap *t = &s->trap;
    while (!t->more_frames) {
        pc -= at_fault ? 0 : 1;
        const RtModule *m = rt_find_code(s, pc);
        if (!m) return;
        add_frame(t, m, (uint32_t)(pc - m->img.code));
        at_fault = false;
        pc = fp[1];
        fp = (const uint8_t *const *)(const void *)fp[0];
    }
}

void rt_backtrace(RtActivation *a, const uint8_t *pc, const void *fp, bool at_fault) {
    RtStore *s = a->store;
    walk(s, pc, fp, at_fault);
    for (a = a->prev; a && !s->trap.more_frames; a = a->prev) {
        if (a->store != s || !a->exit) continue;
        const uint8_t *const *frame = a->exit;
        walk(s, frame[1], (const uint8_t *const *)(const void *)frame[0], false);
    }
}

_Noreturn void rt_unwind(void) {
    longjmp(current->back, 1);
}

_Noreturn void rt_raise(VmTrap code, const void *frame) {
    RtActivation *a = current;
    if (!a) COT_BUG("trap %u outside of a call", code);
    RtTrap *t = &a->store->trap;
    t->code = code;
    t->num_frames = 0;
    t->more_frames = false;
    const uint8_t *const *fp = frame;
    rt_backtrace(a, fp[1], fp[0], false);
    rt_unwind();
}

const char *rt_trap_message(VmTrap code) {
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
        [VM_TRAP_STACK_OVERFLOW] = "call stack exhausted",
        [VM_TRAP_MEMORY_OUT_OF_BOUNDS] = "out of bounds memory access",
        [VM_TRAP_INTEGER_OVERFLOW] = "integer overflow",
        [VM_TRAP_DIVISION_BY_ZERO] = "integer divide by zero",
        [VM_TRAP_BAD_CONVERSION] = "invalid conversion to integer",
    };
    return msg[code] ? msg[code] : "unknown trap";
}

/* ---- text ---- */
typedef struct Source { /* of the module asked for last */
    const RtModule *of;
    Dwarf *w; /* NULL: nothing is known */
} Source;

static Dwarf *open_source(const Image *img, Mem *mem) {
    DwarfInput in;
    memset(&in, 0, sizeof in);
    for (uint32_t k = 0; k < img->nsource; k++)
        if (img->source[k].kind < DWARF_SECTION_COUNT)
            in.s[img->source[k].kind] =
                (DwarfBytes){img->bytes + img->source[k].off, img->source[k].n};
    return img->nsource ? dwarf_open(mem, &in) : NULL;
}

static void print_places(Source *s, const RtFrame *f, StrBuf *out) {
    enum { MOST = 32 };
    DwarfPlace p[MOST];
    if (s->of != f->module) {
        dwarf_free(s->w);
        s->of = f->module;
        s->w = open_source(&f->module->img, out->mem);
    }
    uint32_t base = f->module->img.h->wasm_code;
    if (!s->w || f->offset == IMG_NONE || f->offset < base) return;
    uint32_t n = dwarf_find(s->w, f->offset - base, p, MOST);
    for (uint32_t i = 0; i < n; i++) {
        sb_puts(out, "        ");
        if (n > 1) {
            dwarf_put_text(p[i].function, out);
            sb_putc(out, ' ');
        }
        sb_puts(out, "at ");
        dwarf_put_position(&p[i], out);
        sb_puts(out, i + 1 < n ? ", inlined\n" : "\n");
    }
}

void rt_print_trap(const RtTrap *t, const char *file, StrBuf *out) {
    if (t->num_frames && t->frames[0].offset != IMG_NONE)
        sb_printf(out, "%s:0x%x: error: ", file, t->frames[0].offset);
    else
        sb_printf(out, "%s: error: ", file);
    sb_printf(out, "trap: %s%s%s\n", rt_trap_message(t->code), t->msg[0] ? ": " : "", t->msg);
    rt_print_backtrace(t, out);
}

void rt_print_backtrace(const RtTrap *t, StrBuf *out) {
    Source source = {NULL, NULL};
    for (uint32_t i = 0; i < t->num_frames; i++) {
        const RtFrame *f = &t->frames[i];
        sb_printf(out, "  %2u: ", i);
        img_print_func_name(&f->module->img, f->func, out);
        if (f->offset != IMG_NONE)
            sb_printf(out, " (function %u, offset 0x%x)\n", f->func, f->offset);
        else
            sb_printf(out, " (function %u)\n", f->func);
        print_places(&source, f, out);
    }
    dwarf_free(source.w);
    if (t->more_frames) sb_puts(out, "  ... further frames left out\n");
}

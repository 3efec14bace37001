/* api/object.c — CotObject: a Linkable, a code generator and the writers of object/ behind the C interface.
 *
 * Invariants  After memory ran out a CotObject only answers questions and can be freed, because a definition may have stopped
 *             half-way.
 * Cost        that of compiling and writing. */
#include <errno.h>
#include <stdio.h>
#include "api/clif_int.h"
#include "cot/object.h"
#include "mach/settings.h"
#include "module/cliftext.h"
#include "object/object.h"

struct CotObject {
    Mem mem;
    Linkable k;
    MachCtx *mach; /* NULL: to be made, with the settings as they are then */
    MachSettings set;
    ObjectTarget target;
    bool broken;
    VecU8 file;
    StrBuf header;
    CompilerConfig compiler; /* for WebAssembly modules; features and processor come from set */
    WasmFeatures features;   /* what compiler.features points to */
    LinkSym abi;             /* what modules refer to; LINK_NO_SYM: there are none */
};

/* ---- guarded steps ---- */
typedef bool ObjectStep(CotObject *o, const void *in, Diag *d);
typedef struct Run {
    CotObject *o;
    ObjectStep *step;
    const void *in;
    Diag *d;
    bool ok;
} Run;
static void run_step(void *p) {
    Run *r = p;
    r->ok = r->step(r->o, r->in, r->d);
}
/* misuse: what the layers below call invalid is a mistake of the user. */
static CotStatus run(CotObject *o, ObjectStep *step, const void *in, bool misuse, CotError *error) {
    Diag d;
    diag_clear(&d);
    if (!o) return api_fail(error, COT_MISUSE, "no CotObject is given");
    Run r = {o, step, in, &d, false};
    if (o->broken || !mem_guard(&o->mem, run_step, &r)) {
        o->broken = true;
        return api_fail(error, COT_NO_MEMORY, "out of memory");
    }
    if (r.ok) return COT_OK;
    CotStatus s = misuse && d.kind == DIAG_INVALID ? COT_MISUSE : api_status(d.kind);
    if (d.pos_kind == DIAG_POS_LINE)
        return api_fail(error, s, "%llu:%llu: %.400s", (unsigned long long)d.a,
                        (unsigned long long)d.b, d.msg);
    return api_fail(error, s, "%.500s", d.msg);
}

/* ---- life ---- */
static bool step_new(CotObject *o, const void *in, Diag *d) {
    if (!object_target(in, &o->target, d)) return false;
    linkable_init(&o->k, &o->mem, o->target.isa);
    sb_init(&o->header, &o->mem);
    o->abi = LINK_NO_SYM;
    return true;
}

static void set_compiler(CotObject *o, const CotConfig *c) {
    CompilerConfig *to = &o->compiler;
    to->hooks = &o->mem.hooks;
    to->unwind = true;
    if (!c) return;
    to->no_signals = c->base.rt.no_signals;
    to->explicit_bounds = c->base.rt.explicit_bounds;
    to->interruptible = c->base.rt.interruptible;
    to->verify = c->engine.verify;
    to->stress_seed = c->engine.stress_seed;
    to->opt_level = c->engine.opt_level;
    to->regalloc = c->engine.regalloc;
    to->threads = c->engine.threads;
    if (c->engine.features) {
        o->features = *c->engine.features;
        to->features = &o->features;
    }
}

CotObject *cot_object_new(const CotConfig *c, const char *target, CotError *error) {
    CotObject *o = api_new_with_mem(c, sizeof *o);
    if (!o) {
        api_fail(error, COT_NO_MEMORY, "out of memory");
        return NULL;
    }
    o->set = api_file_mach(c);
    set_compiler(o, c);
    if (run(o, step_new, target, false, error) == COT_OK) return o;
    cot_object_free(o);
    return NULL;
}

void cot_object_free(CotObject *o) {
    if (o) mem_release_all(&o->mem);
}

typedef struct Setting {
    const char *name, *value;
} Setting;
static bool step_set(CotObject *o, const void *in, Diag *d) {
    const Setting *s = in;
    char text[128];
    int n = snprintf(text, sizeof text, "%s%s%s", s->name, s->value ? "=" : "",
                     s->value ? s->value : "");
    if (n < 0 || (size_t)n >= sizeof text) return diag_msg(d, DIAG_INVALID, "setting too long");
    if (!settings_parse_words(&o->set, o->k.isa, text, (uint32_t)n, d)) return false;
    mach_ctx_free(o->mach);
    o->mach = NULL;
    return true;
}
CotStatus cot_object_set(CotObject *o, const char *name, const char *value, CotError *error) {
    if (!name) return api_fail(error, COT_MISUSE, "no name is given");
    return run(o, step_set, &(Setting){name, value}, true, error);
}

/* ---- symbols ---- */
typedef struct Declare {
    const char *name;
    uint32_t *out;
} Declare;
static bool step_declare(CotObject *o, const void *in, Diag *d) {
    (void)d;
    const Declare *e = in;
    *e->out = e->name && *e->name ? linkable_symbol(&o->k, e->name, strlen(e->name))
                                  : linkable_anonymous(&o->k);
    return true;
}
uint32_t cot_object_declare(CotObject *o, const char *name) {
    uint32_t s = COT_NONE;
    return run(o, step_declare, &(Declare){name, &s}, false, NULL) == COT_OK ? s : COT_NONE;
}
const char *cot_object_name(const CotObject *o, uint32_t symbol) {
    return o && symbol < o->k.syms.n ? linkable_at(&o->k, symbol)->name : NULL;
}

static bool known(const CotObject *o, uint32_t s, Diag *d) {
    return s < o->k.syms.n || diag_msg(d, DIAG_INVALID, "no symbol %u", s);
}
typedef struct Keep {
    uint32_t symbol, what;
    const char *section;
} Keep;
static bool step_bind(CotObject *o, const void *in, Diag *d) {
    const Keep *e = in;
    if (!known(o, e->symbol, d)) return false;
    if (e->what > COT_SYMBOL_LOCAL) return diag_msg(d, DIAG_INVALID, "no such binding");
    if (!linkable_at(&o->k, e->symbol)->len)
        return diag_msg(d, DIAG_INVALID, "a symbol without a name is local");
    linkable_declared(&o->k, e->symbol)->binding = (uint8_t)e->what;
    return true;
}
CotStatus cot_object_bind(CotObject *o, uint32_t symbol, uint32_t binding, CotError *error) {
    return run(o, step_bind, &(Keep){symbol, binding, NULL}, true, error);
}
static bool step_keep(CotObject *o, const void *in, Diag *d) {
    const Keep *e = in;
    if (!known(o, e->symbol, d)) return false;
    if (e->what & ~(uint32_t)(COT_SYMBOL_RETAIN | COT_SYMBOL_COMDAT))
        return diag_msg(d, DIAG_INVALID, "no such flag");
    if (e->section && !*e->section) return diag_msg(d, DIAG_INVALID, "a section without a name");
    if (e->what & COT_SYMBOL_COMDAT && !linkable_at(&o->k, e->symbol)->len)
        return diag_msg(d, DIAG_INVALID, "a symbol without a name is in no other file");
    uint32_t section =
        e->section ? linkable_section(&o->k, e->section, strlen(e->section)) : LINK_USUAL_SECTION;
    LinkSymbol *y = linkable_declared(&o->k, e->symbol);
    y->flags = (uint8_t)e->what;
    y->section = section;
    return true;
}
_Static_assert((int)COT_SYMBOL_RETAIN == (int)LINK_RETAIN &&
                   (int)COT_SYMBOL_COMDAT == (int)LINK_COMDAT &&
                   (int)COT_SYMBOL_EXPORT == (int)LINK_EXPORT &&
                   (int)COT_SYMBOL_LOCAL == (int)LINK_LOCAL,
               "the public numbers are the linkable's");
CotStatus cot_object_keep(CotObject *o, uint32_t symbol, uint32_t flags, const char *section,
                          CotError *error) {
    return run(o, step_keep, &(Keep){symbol, flags, section}, true, error);
}

/* ---- definitions ---- */
typedef struct Define {
    uint32_t symbol;
    CotFunction *f;
    const CotData *data;
} Define;
static bool step_define(CotObject *o, const void *in, Diag *d) {
    const Define *e = in;
    MachCompiled c;
    if (!known(o, e->symbol, d)) return false;
    if (!o->mach) o->mach = mach_ctx_new(&o->mem, o->k.isa, &o->set);
    mach_ctx_set_regalloc(o->mach, e->f->regalloc);
    if (!mach_compile(o->mach, &e->f->f, &c, d)) return false;
    LinkCode code = {.code = &c, .f = &e->f->f};
    return linkable_define_func(&o->k, e->symbol, &code, d);
}

typedef struct Definition {
    CotObject *o;
    Define e;
} Definition;
static CotStatus define(void *user, CotError *error) {
    const Definition *d = user;
    return run(d->o, step_define, &d->e, true, error);
}
CotStatus cot_object_define(CotObject *o, uint32_t symbol, CotFunction *f, CotError *error) {
    if (!o) return api_fail(error, COT_MISUSE, "no CotObject is given");
    return api_define(f, define, &(Definition){o, {symbol, f, NULL}}, &o->broken, error);
}

static bool step_data(CotObject *o, const void *in, Diag *d) {
    const Define *e = in;
    LinkData data;
    LinkAddress *a = api_link_data(&o->mem, e->data, &data, d);
    bool ok = d->kind == DIAG_NONE && linkable_define_data(&o->k, e->symbol, &data, d);
    mem_free(&o->mem, a, e->data->naddresses * sizeof *a);
    return ok;
}
CotStatus cot_object_define_data(CotObject *o, uint32_t symbol, const CotData *data,
                                 CotError *error) {
    if (!data) return api_fail(error, COT_MISUSE, "no data is given");
    return run(o, step_data, &(Define){symbol, NULL, data}, true, error);
}

typedef struct Label {
    uint32_t symbol, base;
    uint64_t offset, size;
} Label;
static bool step_label(CotObject *o, const void *in, Diag *d) {
    const Label *e = in;
    return linkable_define_label(&o->k, e->symbol, e->base, e->offset, e->size, d);
}
CotStatus cot_object_define_label(CotObject *o, uint32_t symbol, uint32_t base, uint64_t offset,
                                  uint64_t size, CotError *error) {
    return run(o, step_label, &(Label){symbol, base, offset, size}, true, error);
}

typedef struct Text {
    const char *text;
    uint32_t size;
} Text;
static bool step_text(CotObject *o, const void *in, Diag *d) {
    const Text *t = in;
    MachSettings set = o->set;
    ClifTextOptions how = {0};
    return linkable_add_clif(&o->k, &set, t->text, t->size, &how, d);
}
CotStatus cot_object_define_text(CotObject *o, const char *text, size_t size, CotError *error) {
    if (!text || size >= UINT32_MAX) return api_fail(error, COT_LIMIT, "a text of 4 GiB or none");
    return run(o, step_text, &(Text){text, (uint32_t)size}, false, error);
}

/* ---- WebAssembly modules ---- */
typedef struct Wasm {
    const char *name;
    const uint8_t *bytes;
    size_t size;
    bool header;
} Wasm;

static bool is_c_name(const char *s) {
    if (!s || !*s || strchr("0123456789", *s)) return false;
    for (; *s; s++)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_", *s))
            return false;
    return true;
}

static bool define_module(CotObject *o, Compiled *m, const Wasm *w, Diag *d) {
    CompiledObject as = {.name = w->name};
    if (!compiled_plan_image(m, d) || !compiled_link(m, &o->k, &as, d)) return false;
    o->abi = linkable_symbol(&o->k, IMG_OBJECT_ABI_SYMBOL, sizeof IMG_OBJECT_ABI_SYMBOL - 1);
    return true;
}

static bool step_module(CotObject *o, const void *in, Diag *d) {
    const Wasm *w = in;
    UnitOptions opt = {.validate_only = w->header};
    if (!is_c_name(w->name)) return diag_msg(d, DIAG_INVALID, "a module's name is one of C");
    if (o->k.isa != isa_host())
        return diag_msg(d, DIAG_UNSUPPORTED, "modules are compiled for this machine only");
    o->compiler.isa_flags = o->set.isa_flags;
    Compiler *c = compiler_new(&o->compiler, d);
    Compiled *m = c ? compiler_run(c, w->bytes, w->size, &opt, d) : NULL;
    sb_clear(&o->header);
    bool ok =
        m && (w->header ? compiled_header(m, w->name, &o->header, d) : define_module(o, m, w, d));
    compiled_free(m);
    compiler_free(c);
    if (d->kind == DIAG_OOM) o->broken = true;
    return ok;
}

CotStatus cot_object_define_module(CotObject *o, const char *name, const void *bytes, size_t size,
                                   CotError *error) {
    return run(o, step_module, &(Wasm){name, bytes, size, false}, false, error);
}

CotStatus cot_object_module_header(CotObject *o, const char *name, const void *bytes, size_t size,
                                   const char **text, CotError *error) {
    CotStatus s = run(o, step_module, &(Wasm){name, bytes, size, true}, false, error);
    *text = s ? NULL : sb_cstr(&o->header);
    return s;
}

static bool step_undefine(CotObject *o, const void *in, Diag *d) {
    uint32_t s = *(const uint32_t *)in;
    if (!known(o, s, d)) return false;
    linkable_undefine(&o->k, s);
    return true;
}
CotStatus cot_object_undefine(CotObject *o, uint32_t symbol, CotError *error) {
    return run(o, step_undefine, &symbol, true, error);
}

/* ---- files ---- */
static bool step_write(CotObject *o, const void *in, Diag *d) {
    static const uint8_t kinds[] = {
        [COT_FILE_OBJECT] = OBJECT_RELOCATABLE, [COT_FILE_SHARED] = OBJECT_SHARED};
    const CotFile *f = in;
    if (f->kind >= sizeof kinds) return diag_msg(d, DIAG_INVALID, "no such kind of file");
    ObjectOptions opt = {.kind = (ObjectKind)kinds[f->kind],
                         .function_sections = f->function_sections != 0,
                         .data_sections = f->data_sections != 0,
                         .source = f->source,
                         .debug = f->debug != 0,
                         .soname = f->soname,
                         .needed = f->needed,
                         .nneeded = f->nneeded,
                         .math_library = o->target.math_library};
    if (f->nneeded && !f->needed) return diag_msg(d, DIAG_INVALID, "no libraries are given");
    if (o->abi != LINK_NO_SYM) /* a library must not need it of the program that loads it */
        linkable_declared(&o->k, o->abi)->binding =
            opt.kind == OBJECT_SHARED ? LINK_WEAK : LINK_EXPORT;
    vec_clear(&o->file);
    return object_write(o->target.format, &o->k, &opt, &o->file, d);
}
CotStatus cot_object_write(CotObject *o, const CotFile *file, const void **bytes, size_t *size,
                           CotError *error) {
    if (!file || !bytes || !size) return api_fail(error, COT_MISUSE, "an argument is missing");
    CotStatus s = run(o, step_write, file, true, error);
    *bytes = s ? NULL : o->file.p;
    *size = s ? 0 : o->file.n;
    return s;
}

CotStatus cot_object_write_file(CotObject *o, const CotFile *file, const char *path,
                                CotError *error) {
    if (!file || !path) return api_fail(error, COT_MISUSE, "an argument is missing");
    CotStatus s = run(o, step_write, file, true, error);
    if (s) return s;
    FILE *f = fopen(path, "wb");
    bool ok = f && fwrite(o->file.p, 1, o->file.n, f) == o->file.n;
    int why = errno;
    if (f && fclose(f) != 0 && ok) {
        ok = false;
        why = errno;
    }
    return ok ? COT_OK : api_fail(error, COT_IO, "%.200s: %s", path, strerror(why));
}

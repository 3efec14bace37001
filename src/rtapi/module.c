/* rtapi/module.c — compiled modules: their bytes, what they import and export. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include "rtapi/rtapi.h"

/* ---- precompiled modules ---- */
size_t cot_module_serialized_size(const CotModule *m) {
    return rt_module_serialized_size(module_rt(m));
}

void cot_module_serialize(const CotModule *m, void *bytes) {
    rt_module_serialize(module_rt(m), bytes);
}

#define SAME_PLACE(member)                                                           \
    _Static_assert(offsetof(CotLinkedModule, member) == offsetof(ImgLinked, member), \
                   "form of objects")
SAME_PLACE(abi);
SAME_PLACE(tables);
SAME_PLACE(code);
SAME_PLACE(slots);
SAME_PLACE(needs);
_Static_assert(sizeof(CotLinkedModule) == sizeof(ImgLinked) && COT_OBJECT_ABI == IMG_OBJECT_ABI,
               "form of objects");

void cot_object_abi_1(void) {}

bool api_linked_ok(const CotLinkedModule *l, CotError *error) {
    if (l->abi == COT_OBJECT_ABI) return true;
    api_fail(error, COT_UNSUPPORTED,
             "the module was compiled for version %u of the interface of objects, this library "
             "has version %u: compile it again, or link another library",
             l->abi, COT_OBJECT_ABI);
    return false;
}

CotModule *cot_module_linked(CotEngine *e, const CotLinkedModule *l, CotError *error) {
    if (!api_linked_ok(l, error)) return NULL;
    Diag d;
    diag_clear(&d);
    RtModule *m = rt_module_linked(engine_rt(e), &(RtLinked){l->tables, l->code, l->slots}, &d);
    if (!m) api_fail_diag(error, &d);
    return module_api(m);
}

CotModule *cot_module_deserialize(CotEngine *e, const void *bytes, size_t size, CotError *error) {
    Diag d;
    RtBlob b;
    diag_clear(&d);
    RtModule *m = rt_blob_copy(&b, bytes, size, &d)
                      ? rt_module_new(engine_rt(e), &b, IMG_VERIFIED, &d)
                      : NULL;
    if (!m) api_fail_diag(error, &d);
    return module_api(m);
}

CotModule *cot_module_deserialize_file(CotEngine *e, const char *path, CotError *error) {
    Diag d;
    RtBlob b;
    diag_clear(&d);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) diag_msg(&d, DIAG_IO, "%.300s: %s", path, strerror(errno));
    RtModule *m = fd >= 0 && rt_blob_map(&b, fd, &d)
                      ? rt_module_new(engine_rt(e), &b, IMG_VERIFIED, &d)
                      : NULL;
    if (fd >= 0) close(fd);
    if (!m) api_fail_diag(error, &d);
    return module_api(m);
}

void cot_module_free(CotModule *m) {
    rt_module_free(module_rt(m));
}

size_t cot_module_code_size(const CotModule *m) {
    return (size_t)rt_module_image(module_rt(m))->h->code_size;
}

CotFuncType api_func_type(const Image *m, uint32_t type) {
    const ImgType *t = &m->types[type];
    return (CotFuncType){.params = m->valtypes + t->first,
                         .results = m->valtypes + t->first + t->nparams,
                         .nparams = t->nparams,
                         .nresults = t->nresults};
}

static CotName name_of(const Image *m, ImgStr at) {
    WasmStr s = img_str(m, at);
    return (CotName){s.p, s.n};
}

static void limits(CotExternType *t, uint64_t min, uint64_t max, uint32_t flags) {
    t->min = min;
    t->max = flags & IMG_HAS_MAX ? max : COT_NO_MAXIMUM;
}

#define SAME(Public, kind) _Static_assert((int)(Public) == (int)(kind), "numbers of kinds")
SAME(COT_KIND_FUNC, WASM_EXT_FUNC);
SAME(COT_KIND_TABLE, WASM_EXT_TABLE);
SAME(COT_KIND_MEMORY, WASM_EXT_MEMORY);
SAME(COT_KIND_GLOBAL, WASM_EXT_GLOBAL);

static void type_of(const Image *m, uint32_t kind, uint32_t index, CotExternType *t) {
    memset(t, 0, sizeof *t);
    t->kind = (CotKind)kind;
    switch (t->kind) {
    case COT_KIND_FUNC: t->func = api_func_type(m, m->funcs[index].type); break;
    case COT_KIND_TABLE:
        limits(t, m->tables[index].min, m->tables[index].max, m->tables[index].flags);
        t->value = (CotType)m->tables[index].elem;
        break;
    case COT_KIND_MEMORY:
        limits(t, m->memories[index].min, m->memories[index].max, m->memories[index].flags);
        break;
    case COT_KIND_GLOBAL:
        t->value = (CotType)m->globals[index].type;
        t->is_mutable = m->globals[index].mut != 0;
        break;
    }
}

size_t cot_module_import_count(const CotModule *m) {
    return rt_module_image(module_rt(m))->nimports;
}

CotStatus cot_module_import(const CotModule *m, size_t i, CotName *from, CotName *name,
                            CotExternType *type) {
    const Image *img = rt_module_image(module_rt(m));
    if (i >= img->nimports) return COT_MISUSE;
    const ImgImport *im = &img->imports[i];
    *from = name_of(img, im->module);
    *name = name_of(img, im->name);
    if (type) type_of(img, im->kind, im->index, type);
    return COT_OK;
}

size_t cot_module_export_count(const CotModule *m) {
    return rt_module_image(module_rt(m))->nexports;
}

CotStatus cot_module_export(const CotModule *m, size_t i, CotName *name, CotExternType *type) {
    const Image *img = rt_module_image(module_rt(m));
    if (i >= img->nexports) return COT_MISUSE;
    const ImgExport *e = &img->exports[i];
    *name = name_of(img, e->name);
    if (type) type_of(img, e->kind, e->index, type);
    return COT_OK;
}

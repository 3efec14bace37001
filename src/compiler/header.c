/* compiler/header.c — the C header of a module in an object: exports as functions to call, imports as functions to define.
 *
 * Idea        The header is all glue: typed inline functions over the functions of cot/wasm.h. So the object itself depends on nothing
 *             but its own form, one object serves any number of instances, and C and C++ see plain prototypes.
 *
 *     extern const CotLinkedModule NAME_module;
 *     NAME_instance                what an instance exports, looked up once
 *     NAME_imports                 memories, tables, globals and WASI that it gets; a pointer for imported functions
 *     NAME_import_MODULE_FIELD     an imported function, to be defined by the program
 *     NAME_load, NAME_new          the module for an engine; an instance in a store
 *     NAME_FIELD                   calls an exported function
 *     NAME_get_FIELD, NAME_set_FIELD     an exported global
 *     NAME_data_FIELD, NAME_size_FIELD   an exported memory
 *
 * What the identifiers are: header_names.c. */
#include <stdio.h>
#include "compiler/comp_int.h"

typedef struct Header {
    const WasmModule *m;
    const char *name;
    StrBuf *out;
    HeaderNames names;
} Header;

typedef struct TypeRow {
    const char *in, *out, *member; /* of a parameter; of a result; in CotValue */
    const char *code;
    bool array;
} TypeRow;
static const TypeRow *row(WasmType t) {
    static const TypeRow rows[] = {
        {"int32_t ", "int32_t *", "i32", "COT_I32", false},
        {"int64_t ", "int64_t *", "i64", "COT_I64", false},
        {"float ", "float *", "f32", "COT_F32", false},
        {"double ", "double *", "f64", "COT_F64", false},
        {"const uint8_t *", "uint8_t *", "v128", "COT_V128", true}, /* 16 bytes */
        {"CotFunc *", "CotFunc **", "func", "COT_FUNCREF", false},
        {"void *", "void **", "ext", "COT_EXTERNREF", false}};
    switch (t) {
    case WASM_I32: return &rows[0];
    case WASM_I64: return &rows[1];
    case WASM_F32: return &rows[2];
    case WASM_F64: return &rows[3];
    case WASM_V128: return &rows[4];
    case WASM_FUNCREF: return &rows[5];
    default: return &rows[6];
    }
}

#define PUT(...) sb_printf(h->out, __VA_ARGS__)

static const char *import_id(const Header *h, uint32_t i) {
    return h->names.text.p + h->names.at.p[i];
}
static const char *export_id(const Header *h, uint32_t i) {
    return h->names.text.p + h->names.at.p[h->m->imports.n + i];
}

/* ---- pieces ---- */
static bool is(WasmStr a, const char *b) {
    return a.n == strlen(b) && memcmp(a.p, b, a.n) == 0;
}
static bool from_wasi(const WasmImport *im) {
    return is(im->module, "wasi_snapshot_preview1") || is(im->module, "wasi_unstable");
}
static const WasmFuncType *type_of(const Header *h, uint32_t func) {
    return &h->m->types.p[h->m->funcs.p[func].type];
}
static WasmType param(const Header *h, const WasmFuncType *t, uint32_t k) {
    return h->m->valtypes.p[t->params + k];
}
static WasmType result(const Header *h, const WasmFuncType *t, uint32_t k) {
    return h->m->valtypes.p[t->results + k];
}

static void put_c_string(Header *h, WasmStr s) {
    PUT("\"");
    for (uint32_t i = 0; i < s.n; i++) {
        uint8_t c = (uint8_t)s.p[i];
        if (c < 0x20 || c >= 0x7F || c == '"' || c == '\\' || c == '?' || c == '*')
            PUT("\\%03o", c);
        else
            PUT("%c", c);
    }
    PUT("\"");
}

/* ", int32_t p0, …, int64_t *r0, …" */
static void put_parameters(Header *h, const WasmFuncType *t) {
    for (uint32_t k = 0; k < t->nparams; k++) PUT(", %sp%u", row(param(h, t, k))->in, k);
    for (uint32_t k = 0; k < t->nresults; k++) PUT(", %sr%u", row(result(h, t, k))->out, k);
}

static const char *const kinds[] = {"CotFunc", "CotTable", "CotMemory", "CotGlobal"};
static const char *const members[] = {"func", "table", "memory", "global"};
static const char *const kind_codes[] = {"COT_KIND_FUNC", "COT_KIND_TABLE", "COT_KIND_MEMORY",
                                         "COT_KIND_GLOBAL"};

/* ---- imports ---- */
/* What a name is the name of, where it is not to be seen. */
static void put_original(Header *h, const WasmStr *module, WasmStr name, const char *id) {
    if (!module && is(name, id)) return;
    PUT("/* ");
    if (module) {
        put_c_string(h, *module);
        PUT(" ");
    }
    put_c_string(h, name);
    PUT(" */\n");
}

static void put_import_prototypes(Header *h) {
    bool any = false;
    for (uint32_t i = 0; i < h->m->imports.n; i++) {
        const WasmImport *im = &h->m->imports.p[i];
        if (im->kind != WASM_EXT_FUNC || from_wasi(im)) continue;
        if (!any)
            PUT("/* ---- imports: to be defined by the program ----\n"
                " * p0, p1, ... are the parameters; results go to *r0, *r1, ..., which are zero "
                "before. user is that of %s_imports.\n"
                " * Each returns COT_OK, or how the Wasm code that called it is to end: what "
                "cot_caller_trap or cot_caller_exit returned. */\n",
                h->name);
        any = true;
        put_original(h, &im->module, im->name, NULL);
        PUT("CotStatus %s_import_%s(void *user, CotCaller *caller", h->name, import_id(h, i));
        put_parameters(h, type_of(h, im->index));
        PUT(");\n");
    }
    if (any) PUT("\n");
}

static void put_bridge(Header *h, uint32_t i) {
    const WasmFuncType *t = type_of(h, h->m->imports.p[i].index);
    PUT("static inline CotStatus %s_bridge_%s(void *user, CotCaller *caller, const CotValue "
        "*args,\n"
        "                                        CotValue *results) {\n"
        "    (void)args;\n    (void)results;\n    return %s_import_%s(user, caller",
        h->name, import_id(h, i), h->name, import_id(h, i));
    for (uint32_t k = 0; k < t->nparams; k++)
        PUT(", args[%u].of.%s", k, row(param(h, t, k))->member);
    for (uint32_t k = 0; k < t->nresults; k++) {
        const TypeRow *r = row(result(h, t, k));
        PUT(", %sresults[%u].of.%s", r->array ? "" : "&", k, r->member);
    }
    PUT(");\n}\n");
}

static void put_imports_struct(Header *h) {
    PUT("/* What an instance is given. */\n"
        "typedef struct %s_imports {\n    void *user;    /* for imported functions */\n"
        "    CotWasi *wasi; /* functions of WASI; NULL: none */\n",
        h->name);
    for (uint32_t i = 0; i < h->m->imports.n; i++) {
        const WasmImport *im = &h->m->imports.p[i];
        if (im->kind == WASM_EXT_FUNC) continue;
        PUT("    %s *%s_%s; /* ", kinds[im->kind], members[im->kind], import_id(h, i));
        put_c_string(h, im->module);
        PUT(" ");
        put_c_string(h, im->name);
        PUT(" */\n");
    }
    PUT("} %s_imports;\n\n", h->name);
}

static void put_type_list(Header *h, const char *what, uint32_t first, uint32_t n) {
    if (n == 0) return;
    PUT("        static const CotType %s[] = {", what);
    for (uint32_t k = 0; k < n; k++)
        PUT("%s%s", k ? ", " : "", row(h->m->valtypes.p[first + k])->code);
    PUT("};\n");
}

static void put_define(Header *h, uint32_t i) {
    const WasmImport *im = &h->m->imports.p[i];
    PUT("    if (s == COT_OK) {\n");
    if (im->kind == WASM_EXT_FUNC) {
        const WasmFuncType *t = type_of(h, im->index);
        put_type_list(h, "params", t->params, t->nparams);
        put_type_list(h, "results", t->results, t->nresults);
        PUT("        CotFuncType type = {%s, %s, %u, %u};\n", t->nparams ? "params" : "NULL",
            t->nresults ? "results" : "NULL", t->nparams, t->nresults);
        PUT("        what.kind = COT_KIND_FUNC;\n"
            "        what.of.func = cot_func_new(store, type, %s_bridge_%s,\n"
            "                                    imports ? imports->user : NULL, error);\n",
            h->name, import_id(h, i));
    } else {
        const char *member = members[im->kind];
        PUT("        what.kind = %s;\n"
            "        what.of.%s = imports ? imports->%s_%s : NULL;\n",
            kind_codes[im->kind], member, member, import_id(h, i));
    }
    PUT("        s = %scot_linker_define(linker, ",
        im->kind == WASM_EXT_FUNC ? "!what.of.func ? error->status : " : "");
    put_c_string(h, im->module);
    PUT(", ");
    put_c_string(h, im->name);
    PUT(", what, error);\n    }\n");
}

/* ---- instances ---- */
static void put_struct(Header *h) {
    PUT("/* An instance, with what it exports. It lives in its store and as long. */\n"
        "typedef struct %s_instance {\n    CotInstance *instance;\n",
        h->name);
    for (uint32_t i = 0; i < h->m->exports.n; i++)
        PUT("    %s *%s_%s;\n", kinds[h->m->exports.p[i].kind], members[h->m->exports.p[i].kind],
            export_id(h, i));
    PUT("} %s_instance;\n\n", h->name);
}

static void put_new(Header *h) {
    const char *n = h->name;
    PUT("/* The module for an engine. NULL: *error says why. cot_module_free it when no more "
        "instances are to be made. */\n"
        "static inline CotModule *%s_load(CotEngine *engine, CotError *error) {\n"
        "    return cot_module_linked(engine, &%s_module, error);\n}\n\n",
        n, n);
    PUT("/* Makes an instance in a store; its start function runs. imports may be NULL if nothing "
        "is imported and needed; what\n"
        " * its members point to must live as long as the store. error may be NULL. */\n"
        "static inline CotStatus %s_new(%s_instance *self, CotStore *store, CotModule *module,\n"
        "                               const %s_imports *imports, CotError *error) {\n"
        "    static %s_instance none;\n    CotError e;\n    CotExtern what;\n    CotStatus s = "
        "COT_OK;\n"
        "    *self = none;\n"
        "    if (!error) error = &e;\n    error->status = COT_OK;\n"
        "    CotLinker *linker = cot_linker_new(store, error);\n"
        "    if (!linker) return error->status;\n"
        "    if (imports && imports->wasi) cot_linker_define_wasi(linker, imports->wasi);\n"
        "    (void)what;\n",
        n, n, n, n);
    for (uint32_t i = 0; i < h->m->imports.n; i++)
        if (!from_wasi(&h->m->imports.p[i])) put_define(h, i);
    PUT("    self->instance = s == COT_OK ? cot_linker_instantiate(linker, module, error) : NULL;\n"
        "    cot_linker_free(linker);\n"
        "    if (!self->instance) return error->status;\n");
    for (uint32_t i = 0; i < h->m->exports.n; i++) {
        const WasmExport *e = &h->m->exports.p[i];
        PUT("    if (s == COT_OK) s = cot_instance_export_at(self->instance, %u, &what, error);\n"
            "    if (s == COT_OK) self->%s_%s = what.of.%s;\n",
            i, members[e->kind], export_id(h, i), members[e->kind]);
    }
    PUT("    return s;\n}\n\n");
}

/* ---- exports ---- */
static void put_value(Header *h, const char *to, const char *from, WasmType t) {
    const TypeRow *r = row(t);
    PUT("    %s.type = %s;\n", to, r->code);
    if (r->array)
        PUT("    for (int i = 0; i < 16; i++) %s.of.v128[i] = %s[i];\n", to, from);
    else
        PUT("    %s.of.%s = %s;\n", to, r->member, from);
}

static void put_function(Header *h, uint32_t i) {
    const WasmFuncType *t = type_of(h, h->m->exports.p[i].index);
    const char *id = export_id(h, i);
    put_original(h, NULL, h->m->exports.p[i].name, id);
    PUT("static inline CotStatus %s_%s(const %s_instance *self", h->name, id, h->name);
    put_parameters(h, t);
    PUT(", CotError *error) {\n");
    if (t->nparams) PUT("    CotValue args[%u];\n", t->nparams);
    if (t->nresults) PUT("    CotValue results[%u];\n", t->nresults);
    for (uint32_t k = 0; k < t->nparams; k++) {
        char to[24], from[24];
        snprintf(to, sizeof to, "args[%u]", k);
        snprintf(from, sizeof from, "p%u", k);
        put_value(h, to, from, param(h, t, k));
    }
    PUT("    CotStatus s = cot_func_call(self->func_%s, %s, %u, %s, %u, error);\n", id,
        t->nparams ? "args" : "NULL", t->nparams, t->nresults ? "results" : "NULL", t->nresults);
    if (t->nresults) PUT("    if (s != COT_OK) return s;\n");
    for (uint32_t k = 0; k < t->nresults; k++) {
        const TypeRow *r = row(result(h, t, k));
        if (r->array)
            PUT("    for (int i = 0; i < 16; i++) r%u[i] = results[%u].of.v128[i];\n", k, k);
        else
            PUT("    *r%u = results[%u].of.%s;\n", k, k, r->member);
    }
    PUT("    return s;\n}\n");
}

static void put_memory(Header *h, uint32_t i) {
    const char *n = h->name, *id = export_id(h, i);
    put_original(h, NULL, h->m->exports.p[i].name, id);
    PUT("static inline uint8_t *%s_data_%s(const %s_instance *self) {\n"
        "    return cot_memory_data(self->memory_%s);\n}\n"
        "static inline uint64_t %s_size_%s(const %s_instance *self) {\n"
        "    return cot_memory_size(self->memory_%s);\n}\n",
        n, id, n, id, n, id, n, id);
}

static void put_global(Header *h, uint32_t i) {
    const WasmGlobalType *t = &h->m->globals.p[h->m->exports.p[i].index].type;
    const TypeRow *r = row(t->type);
    const char *id = export_id(h, i);
    put_original(h, NULL, h->m->exports.p[i].name, id);
    if (r->array)
        PUT("static inline void %s_get_%s(const %s_instance *self, uint8_t *value) {\n"
            "    CotValue v = cot_global_get(self->global_%s);\n"
            "    for (int i = 0; i < 16; i++) value[i] = v.of.v128[i];\n}\n",
            h->name, id, h->name, id);
    else
        PUT("static inline %s%s_get_%s(const %s_instance *self) {\n"
            "    return cot_global_get(self->global_%s).of.%s;\n}\n",
            r->in, h->name, id, h->name, id, r->member);
    if (!t->mut) return;
    PUT("static inline CotStatus %s_set_%s(const %s_instance *self, %svalue, CotError *error) {\n"
        "    CotValue v;\n",
        h->name, id, h->name, r->in);
    put_value(h, "v", "value", t->type);
    PUT("    return cot_global_set(self->global_%s, v, error);\n}\n", id);
}

static void put_exports(Header *h) {
    static void (*const put[])(Header *, uint32_t) = {[WASM_EXT_FUNC] = put_function,
                                                      [WASM_EXT_TABLE] = NULL,
                                                      [WASM_EXT_MEMORY] = put_memory,
                                                      [WASM_EXT_GLOBAL] = put_global};
    PUT("/* ---- exports ----\n"
        " * Functions: p0, p1, ... are the parameters; results are stored to *r0, *r1, ... if the "
        "result is COT_OK. COT_TRAP: the\n"
        " * trap is cot_store_trap's; COT_EXIT: the code is cot_store_exit_code's. error may be "
        "NULL. Vectors are 16 bytes.\n"
        " * Memories: their first byte and size in bytes, until the memory grows. Tables are "
        "members of the instance. */\n");
    for (uint32_t i = 0; i < h->m->exports.n; i++)
        if (put[h->m->exports.p[i].kind]) put[h->m->exports.p[i].kind](h, i);
}

/* Definitions are given by C strings. */
static bool names_fit(const WasmModule *m, Diag *d) {
    for (uint32_t i = 0; i < m->imports.n; i++) {
        WasmStr a = m->imports.p[i].module, b = m->imports.p[i].name;
        if ((a.n && memchr(a.p, 0, a.n)) || (b.n && memchr(b.p, 0, b.n)))
            return diag_msg(d, DIAG_UNSUPPORTED,
                            "import %u has a NUL in its name, so no C program can define it", i);
    }
    return true;
}

bool header_write(const WasmModule *m, const char *name, StrBuf *out, Diag *d) {
    if (!names_fit(m, d)) return false;
    Header header = {.m = m, .name = name, .out = out}, *h = &header;
    header_names(&h->names, out->mem, m);
    PUT("/* %s.h, made by cot compile: a WebAssembly module as C functions. Link with its object "
        "and with libcotrt or libcot. */\n"
        "#ifndef COT_MODULE_%s_H\n#define COT_MODULE_%s_H\n#include <cot/wasi.h>\n\n"
        "#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n"
        "extern const CotLinkedModule %s_module;\n\n",
        name, name, name, name);
    put_import_prototypes(h);
    put_imports_struct(h);
    put_struct(h);
    for (uint32_t i = 0; i < m->imports.n; i++)
        if (m->imports.p[i].kind == WASM_EXT_FUNC && !from_wasi(&m->imports.p[i])) put_bridge(h, i);
    put_new(h);
    put_exports(h);
    PUT("\n#ifdef __cplusplus\n}\n#endif\n#endif\n");
    vec_free(out->mem, &h->names.at);
    sb_free(&h->names.text);
    return true;
}

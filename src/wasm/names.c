/* wasm/names.c — names of functions for messages: from the name section, read leniently (what cannot be read is ignored, the
 * module stays valid), else from the exports. */
#include "wasm/wasm_int.h"

static bool str(WasmReader *r, WasmStr *s) {
    uint32_t n;
    if (leb_u32(&r->p, r->end, &n) != LEB_OK || n > (size_t)(r->end - r->p)) return false;
    *s = (WasmStr){(const char *)r->p, n};
    r->p += n;
    return utf8_valid((const uint8_t *)s->p, n);
}

void wasm_read_names(WasmModule *m, uint32_t off, uint32_t len) {
    WasmReader r = {m->bytes + off, m->bytes + off + len, m->bytes, NULL};
    while (r.p < r.end) {
        uint8_t id = *r.p++;
        uint32_t n, count, i;
        WasmStr s;
        if (leb_u32(&r.p, r.end, &n) != LEB_OK || n > (size_t)(r.end - r.p)) return;
        WasmReader sub = {r.p, r.p + n, m->bytes, NULL};
        r.p += n;
        if (id == 0 && str(&sub, &s)) m->module_name = s;
        if (id != 1 || leb_u32(&sub.p, sub.end, &count) != LEB_OK) continue;
        while (count-- && leb_u32(&sub.p, sub.end, &i) == LEB_OK && str(&sub, &s)) {
            if (i >= m->funcs.n) continue;
            if (i >= m->func_names.n) vec_resize0(m->mem, &m->func_names, i + 1);
            m->func_names.p[i] = s;
        }
    }
}

void wasm_name_exports(WasmModule *m) {
    for (uint32_t i = 0; i < m->exports.n; i++) {
        const WasmExport *e = &m->exports.p[i];
        if (e->kind != WASM_EXT_FUNC) continue;
        if (e->index >= m->func_names.n) vec_resize0(m->mem, &m->func_names, e->index + 1);
        if (!m->func_names.p[e->index].p) m->func_names.p[e->index] = e->name;
    }
}

void wasm_print_func_name(const WasmModule *m, uint32_t func, StrBuf *out) {
    if (func < m->func_names.n && m->func_names.p[func].p)
        sb_put_visible(out, m->func_names.p[func].p, m->func_names.p[func].n);
    else
        sb_printf(out, "func[%u]", func);
}

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

/* Names come from the module: what could steer a terminal or fake a line is written as \xx. */
static void put_name(StrBuf *out, WasmStr name) {
    enum { MOST = 200 };
    uint32_t n = name.n < MOST ? name.n : MOST;
    while (n < name.n && n && ((uint8_t)name.p[n] & 0xC0) == 0x80) n--; /* whole characters */
    for (uint32_t k = 0; k < n; k++) {
        uint8_t c = (uint8_t)name.p[k];
        bool c1 = c == 0xC2 && k + 1 < n && (uint8_t)name.p[k + 1] < 0xA0; /* U+0080 to U+009F */
        if (c < 0x20 || c == 0x7F || c == '\\' || c1)
            sb_printf(out, "\\%02x", c);
        else if (k && c < 0xA0 && c >= 0x80 && (uint8_t)name.p[k - 1] == 0xC2)
            sb_printf(out, "\\%02x", c);
        else
            sb_putn(out, name.p + k, 1);
    }
    if (n < name.n) sb_puts(out, "...");
}

void wasm_print_func_name(const WasmModule *m, uint32_t func, StrBuf *out) {
    if (func < m->func_names.n && m->func_names.p[func].p)
        put_name(out, m->func_names.p[func]);
    else
        sb_printf(out, "func[%u]", func);
}

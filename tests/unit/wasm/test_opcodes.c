/* Every row of opcodes.def: decodes, is valid with the types of its signature and with no others, is refused with its
 * proposal's name when that is off or not supported. */
#include "wb.h"

typedef struct Row {
    uint8_t prefix;
    uint16_t code;
    const char *name, *text, *sig;
    WasmFeature feat;
    WasmImm imm;
    WasmForm form;
} Row;
static const Row rows[] = {
#define WASM_OP(p, c, NAME, text, sg, feat, im, fo, cl, ax) \
    {p, c, #NAME, text, sg, WASM_FEAT_##feat, WASM_IMM_##im, WASM_FORM_##fo},
#include "wasm/opcodes.def"
#undef WASM_OP
};
enum { NROWS = sizeof rows / sizeof rows[0] };

static size_t operator_bytes(const Row *r, uint8_t *o) {
    size_t n = 0;
    if (r->prefix) {
        o[n++] = r->prefix;
        if (r->code >= 0x80)
            o[n++] = (uint8_t)(r->code | 0x80), o[n++] = (uint8_t)(r->code >> 7);
        else
            o[n++] = (uint8_t)r->code;
    } else
        o[n++] = (uint8_t)r->code;
    size_t k = r->imm == WASM_IMM_INDEX || r->imm == WASM_IMM_I32 || r->imm == WASM_IMM_I64 ? 1
               : r->imm == WASM_IMM_MEM || r->imm == WASM_IMM_INDEX2                        ? 2
               : r->imm == WASM_IMM_F32                                                     ? 4
               : r->imm == WASM_IMM_LANE                                                    ? 1
               : r->imm == WASM_IMM_MEMLANE                                                 ? 3
               : r->imm == WASM_IMM_V128 || r->imm == WASM_IMM_LANES16                      ? 16
               : r->imm == WASM_IMM_F64                                                     ? 8
                                                                                            : 0;
    while (k--) o[n++] = 0;
    return n;
}
/* local.get of each parameter, the operator, end */
static bool run_row(Wb *w, const Row *r, const char *params, const char *results, bool emit) {
    uint8_t body[64];
    size_t n = 0;
    body[n++] = 0;
    for (uint8_t k = 0; params[k]; k++) body[n++] = 0x20, body[n++] = k;
    n += operator_bytes(r, body + n);
    body[n++] = 0x0B;
    wb_module(w, params, results, body, n);
    return wb_run(w, emit);
}

static void rows_sorted(void **s) {
    (void)s;
    for (int i = 1; i < NROWS; i++)
        if (rows[i - 1].prefix * 65536 + rows[i - 1].code >= rows[i].prefix * 65536 + rows[i].code)
            fail_msg("%s", rows[i].name);
}

static void right_and_wrong_types(void **s) {
    (void)s;
    Wb w;
    wb_init(&w);
    for (int i = 0; i < NROWS; i++) {
        const Row *r = &rows[i];
        if (r->sig[0] == '*' || r->form == WASM_FORM_REFUSED) continue;
        char params[8], results[8];
        size_t np = strcspn(r->sig, ">");
        memcpy(params, r->sig, np);
        params[np] = 0;
        strcpy(results, r->sig + np + 1);
        for (int strict = 0; strict < 3; strict++) {
            w.tn.mem_style = strict ? WASM_MEM_CHECKED : WASM_MEM_STATIC;
            w.tn.explicit_traps = w.tn.interrupt_checks = w.tn.spectre_guards = strict;
            if (!run_row(&w, r, params, results, strict != 2)) fail_msg("%s: %s", r->text, w.d.msg);
        }
        for (size_t k = 0; k < np + strlen(results); k++) {
            char *at = k < np ? &params[k] : &results[k - np], was = *at;
            for (const char *c = "iIfFv"; *c; c++) {
                if (*c == was) continue;
                *at = *c;
                if (run_row(&w, r, params, results, true))
                    fail_msg("%s takes %s > %s", r->text, params, results);
                assert_int_equal(w.d.kind, DIAG_INVALID);
            }
            *at = was;
        }
        if (np && run_row(&w, r, params + 1, results, true)) fail_msg("%s takes too few", r->text);
    }
    wb_free(&w);
}

static void refused_by_name(void **s) {
    (void)s;
    Wb w;
    wb_init(&w);
    memset(&w.ft, 0, sizeof w.ft);
    int refused = 0;
    for (int i = 0; i < NROWS; i++) {
        const Row *r = &rows[i];
        if (r->feat == WASM_FEAT_MVP) continue;
        uint8_t body[32] = {0};
        size_t n = 1 + operator_bytes(r, body + 1);
        body[n++] = 0x0B;
        wb_start(&w);
        WB(&w, 1, 0x60, 0, 0);
        wb_end(&w, 1);
        WB(&w, 1, 0);
        wb_end(&w, 3);
        wb_u(&w, 1);
        wb_u(&w, n);
        wb_b(&w, body, n);
        wb_end(&w, 10);
        assert_false(wb_run(&w, true));
        if (w.d.kind != DIAG_UNSUPPORTED || !strstr(w.d.msg, wasm_feature_name[r->feat]) ||
            !strstr(w.d.msg, r->text) || w.d.a != w.out.n - n + 1)
            fail_msg("%s: %s at %d", r->text, w.d.msg, (int)w.d.a);
        refused++;
    }
    assert_true(refused > 350);
    wb_free(&w);
}

static void holes_are_illegal(void **s) {
    (void)s;
    Wb w;
    wb_init(&w);
    static const uint8_t holes[] = {0x16, 0x17, 0x1D, 0x1E, 0x27, 0xC5, 0xCF, 0xD7, 0xF0, 0xFF};
    for (size_t i = 0; i < sizeof holes; i++) {
        WB_FUNC(&w, "", "", 0, holes[i], 0x0B);
        assert_false(wb_run(&w, true));
        assert_int_equal(w.d.kind, DIAG_MALFORMED);
    }
    WB_FUNC(&w, "", "", 0, 0xFC, 18, 0x0B);
    assert_false(wb_run(&w, false));
    assert_non_null(strstr(w.d.msg, "illegal opcode"));
    wb_free(&w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_sorted), cmocka_unit_test(right_and_wrong_types),
        cmocka_unit_test(refused_by_name), cmocka_unit_test(holes_are_illegal)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

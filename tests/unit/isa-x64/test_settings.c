/* Settings by name: defaults, each kind of value, wrong names and values, lines of .clif files. */
#include "cm.h"
#include "mach/settings.h"
#include <string.h>

static void defaults(void **state) {
    (void)state;
    MachSettings s = mach_settings_default();
    assert_int_equal(mach_setting_count, 27);
    assert_true(s.enable_verifier && s.unwind_info && !s.is_pic);
    assert_int_equal(s.probestack_size_log2, 12);
    assert_int_equal(s.probestack_strategy, MACH_PROBE_OUTLINE);
    assert_int_equal(s.tls_model, MACH_TLS_NONE);
}

static void values(void **state) {
    (void)state;
    static const struct {
        const char *text;
        bool ok;
    } lines[] = {{"is_pic", true},
                 {"is_pic=false", true},
                 {"is_pic=maybe", false},
                 {"tls_model=elf_gd", true},
                 {"tls_model", false},
                 {"tls_model=elf", false},
                 {"probestack_size_log2=16", true},
                 {"probestack_size_log2=31", false},
                 {"probestack_size_log2=1x", false},
                 {"probestack_size_log2", false},
                 {"opt_level=speed_and_size", true},
                 {"no_such", false},
                 {"has_avx", false},
                 {" enable_pinned_reg \t unwind_info=off ", true},
                 {"", true}};
    for (unsigned i = 0; i < sizeof lines / sizeof *lines; i++) {
        MachSettings s = mach_settings_default(), before = s;
        Diag d;
        diag_clear(&d);
        bool ok =
            settings_parse_words(&s, NULL, lines[i].text, (uint32_t)strlen(lines[i].text), &d);
        assert_int_equal(ok, lines[i].ok);
        assert_int_equal(d.kind, ok ? DIAG_NONE : DIAG_INVALID);
        if (!ok) assert_memory_equal(&s, &before, sizeof s);
    }
    MachSettings s = mach_settings_default();
    Diag d;
    diag_clear(&d);
    assert_true(settings_parse(&s, "tls_model", "coff", &d));
    assert_int_equal(s.tls_model, MACH_TLS_COFF);
    assert_true(settings_parse(&s, "enable_pinned_reg", NULL, &d) && s.enable_pinned_reg);
}

/* Each row's text, given back, is the same value; features and presets set their bits. */
static void round_trip(void **state) {
    (void)state;
    MachSettings s = mach_settings_default(), t = s;
    Diag d;
    diag_clear(&d);
    char buf[24];
    for (unsigned i = 0; i < mach_setting_count; i++)
        assert_true(settings_parse(&t, mach_setting_info[i].name,
                                   settings_text(&s, &mach_setting_info[i], buf), &d));
    assert_memory_equal(&s, &t, sizeof s);
    const IsaVtable *isa = &isa_x64;
    assert_non_null(isa);
    const char *line = "sse42 has_avx has_sse3=false opt_level=speed";
    assert_true(settings_parse_words(&s, isa, line, (uint32_t)strlen(line), &d));
    assert_int_equal(s.opt_level, 1);
    MachSettings one = mach_settings_default();
    assert_true(settings_parse_feature(&one, isa, "has_sse3", NULL, &d));
    assert_int_equal(s.isa_flags & one.isa_flags, 0);
    assert_true(settings_parse_feature(&one, isa, "has_avx", "true", &d));
    assert_true(s.isa_flags & one.isa_flags);
    assert_false(settings_parse_feature(&s, isa, "skyhigh", NULL, &d));
    assert_int_equal(d.kind, DIAG_INVALID);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(defaults), cmocka_unit_test(values),
                                       cmocka_unit_test(round_trip)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

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

/* Every preset of the reference is there, no processor has a feature without those that it builds on, and each has what the
 * levels below it have. */
static void presets(void **state) {
    (void)state;
    static const char names[] =
        "sse3 ssse3 sse41 sse42 baseline nocona core2 penryn atom bonnell silvermont slm "
        "goldmont goldmont-plus tremont alderlake sierraforest grandridge nehalem corei7 "
        "westmere sandybridge corei7-avx ivybridge core-avx-i haswell core-avx2 broadwell "
        "skylake knl knm skylake-avx512 skx cascadelake cooperlake cannonlake "
        "icelake-client icelake icelake-server tigerlake sapphirerapids raptorlake "
        "meteorlake graniterapids opteron k8 athlon64 athlon-fx opteron-sse3 k8-sse3 "
        "athlon64-sse3 barcelona amdfam10 btver1 btver2 bdver1 bdver2 bdver3 bdver4 "
        "znver1 znver2 znver3 znver4 x86-64 x86-64-v2 x86-64-v3 x86-64-v4 ";
    static const char *const implied[][2] = {
        {"has_ssse3", "has_sse3"},         {"has_sse41", "has_ssse3"},
        {"has_sse42", "has_sse41"},        {"has_avx", "has_sse42"},
        {"has_avx2", "has_avx"},           {"has_fma", "has_avx"},
        {"has_avx512f", "has_avx2"},       {"has_avx512f", "has_fma"},
        {"has_avx512dq", "has_avx512f"},   {"has_avx512vl", "has_avx512f"},
        {"has_avx512vbmi", "has_avx512f"}, {"has_avx512bitalg", "has_avx512f"},
        {"has_avx512vnni", "has_avx512f"}, {"has_avx_vnni", "has_avx2"}};
    const IsaVtable *isa = &isa_x64;
    Diag d;
    diag_clear(&d);
    unsigned n = 0;
    for (const char *p = names; *p; p += strspn(p, " "), n++) {
        char name[32];
        bool found;
        size_t len = strcspn(p, " ");
        memcpy(name, p, len);
        name[len] = 0;
        (void)isa->preset_flags(name, &found);
        if (!found) fail_msg("no preset %s", name);
        p += len;
    }
    assert_int_equal(n, 67);
    for (unsigned i = 0; isa->preset_name(i); i++) {
        bool found;
        uint64_t flags = isa->preset_flags(isa->preset_name(i), &found);
        assert_true(found);
        for (unsigned k = 0; k < sizeof implied / sizeof *implied; k++) {
            MachSettings a = {0}, b = {0};
            assert_true(settings_parse_feature(&a, isa, implied[k][0], NULL, &d));
            assert_true(settings_parse_feature(&b, isa, implied[k][1], NULL, &d));
            if ((flags & a.isa_flags) && !(flags & b.isa_flags))
                fail_msg("%s has %s without %s", isa->preset_name(i), implied[k][0], implied[k][1]);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(defaults), cmocka_unit_test(values),
                                       cmocka_unit_test(round_trip), cmocka_unit_test(presets)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

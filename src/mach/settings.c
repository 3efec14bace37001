/* mach/settings.c — the table of settings as data, and settings from text. Cost: O(rows) per name. */
#include "mach/settings.h"
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static uint32_t last_value(const char *values) {
    uint32_t n = 0;
    for (; *values; values++) n += *values == '|';
    return n;
}

const MachSettingInfo mach_setting_info[] = {
#define MACH_BOOL(name, initial, what) \
    {#name, "", what, MACH_SETTING_BOOL, initial, 1, offsetof(MachSettings, name)},
#define MACH_NUM(name, initial, most, what) \
    {#name, "", what, MACH_SETTING_NUM, initial, most, offsetof(MachSettings, name)},
#define MACH_ENUM(name, initial, values, what) \
    {#name, values, what, MACH_SETTING_ENUM, initial, 0, offsetof(MachSettings, name)},
#include "mach/settings.def"
#undef MACH_BOOL
#undef MACH_NUM
#undef MACH_ENUM
};
const unsigned mach_setting_count = sizeof mach_setting_info / sizeof mach_setting_info[0];

/* Every field is one byte (mach.h), so one way to read and write serves all. */
static uint8_t *field(MachSettings *s, const MachSettingInfo *row) {
    return (uint8_t *)s + row->offset;
}

MachSettings mach_settings_default(void) {
    MachSettings s;
    memset(&s, 0, sizeof s);
    for (unsigned i = 0; i < mach_setting_count; i++)
        *field(&s, &mach_setting_info[i]) = (uint8_t)mach_setting_info[i].initial;
    return s;
}

static bool parse_bool(const char *v, bool *out) {
    static const char *const yes[] = {"true", "on", "yes", "1"}, *const no[] = {"false", "off",
                                                                                "no", "0"};
    for (unsigned i = 0; i < 4; i++) {
        if (v == NULL || strcmp(v, yes[i]) == 0) return *out = true, true;
        if (strcmp(v, no[i]) == 0) return *out = false, true;
    }
    return false;
}

static bool parse_value(const MachSettingInfo *row, const char *v, uint32_t *out) {
    bool b;
    switch (row->kind) {
    case MACH_SETTING_BOOL:
        if (!parse_bool(v, &b)) return false;
        *out = b;
        return true;
    case MACH_SETTING_NUM:
        if (!v || !*v || strlen(v) > 3) return false;
        for (*out = 0; *v; v++) {
            if (*v < '0' || *v > '9') return false;
            *out = *out * 10 + (uint32_t)(*v - '0');
        }
        return *out <= row->most;
    case MACH_SETTING_ENUM: {
        const char *p = row->values;
        if (!v) return false;
        for (*out = 0;; ++*out) {
            size_t n = strcspn(p, "|");
            if (strlen(v) == n && memcmp(p, v, n) == 0) return true;
            if (!p[n]) return false;
            p += n + 1;
        }
    }
    }
    return false;
}

bool settings_parse(MachSettings *s, const char *name, const char *value, Diag *d) {
    for (unsigned i = 0; i < mach_setting_count; i++) {
        const MachSettingInfo *row = &mach_setting_info[i];
        uint32_t v;
        if (strcmp(row->name, name) != 0) continue;
        if (!parse_value(row, value, &v))
            return diag_msg(d, DIAG_INVALID, "setting %s cannot be '%s'", name, value ? value : "");
        *field(s, row) = (uint8_t)v;
        return true;
    }
    return diag_msg(d, DIAG_INVALID, "no setting is called '%s'", name);
}

bool settings_parse_feature(MachSettings *s, const IsaVtable *isa, const char *name,
                            const char *value, Diag *d) {
    bool on, found;
    for (unsigned b = 0; isa->flag_names[b]; b++) {
        if (strcmp(isa->flag_names[b], name) != 0) continue;
        if (!parse_bool(value, &on))
            return diag_msg(d, DIAG_INVALID, "feature %s cannot be '%s'", name, value);
        uint64_t bit = (uint64_t)1 << b;
        s->isa_flags = on ? s->isa_flags | bit : s->isa_flags & ~bit;
        return true;
    }
    uint64_t flags = isa->preset_flags(name, &found);
    if (!found)
        return diag_msg(d, DIAG_INVALID, "%s has no feature or preset '%s'", isa->name, name);
    if (value) return diag_msg(d, DIAG_INVALID, "preset %s takes no value", name);
    s->isa_flags |= flags;
    return true;
}

static bool is_shared(const char *name) {
    for (unsigned i = 0; i < mach_setting_count; i++)
        if (strcmp(mach_setting_info[i].name, name) == 0) return true;
    return false;
}

bool settings_parse_words(MachSettings *s, const IsaVtable *isa, const char *text, uint32_t n,
                          Diag *d) {
    MachSettings out = *s;
    for (uint32_t i = 0; i < n;) {
        char word[128];
        uint32_t k = 0;
        while (i < n && (text[i] == ' ' || text[i] == '\t' || text[i] == '\r')) i++;
        for (; i < n && text[i] != ' ' && text[i] != '\t' && text[i] != '\r'; i++) {
            if (k == sizeof word - 1) return diag_msg(d, DIAG_INVALID, "setting too long");
            word[k++] = text[i];
        }
        if (k == 0) break;
        word[k] = 0;
        char *value = strchr(word, '=');
        if (value) *value++ = 0;
        bool shared = !isa || is_shared(word);
        if (shared ? !settings_parse(&out, word, value, d)
                   : !settings_parse_feature(&out, isa, word, value, d))
            return false;
    }
    *s = out;
    return true;
}

const char *settings_text(const MachSettings *s, const MachSettingInfo *row, char buf[24]) {
    uint8_t v = *((const uint8_t *)s + row->offset);
    if (row->kind == MACH_SETTING_BOOL) return v ? "true" : "false";
    if (row->kind == MACH_SETTING_NUM) return snprintf(buf, 24, "%u", v), buf;
    const char *p = row->values;
    COT_ASSERT(v <= last_value(p));
    while (v--) p += strcspn(p, "|") + 1;
    size_t n = strcspn(p, "|");
    COT_ASSERT(n < 24);
    memcpy(buf, p, n);
    buf[n] = 0;
    return buf;
}

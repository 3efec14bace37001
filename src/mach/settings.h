/* mach/settings.h — settings by name: what `set` and `target` lines of .clif files, the command line and the C interface use.
 * The rows are settings.def; processor features are the ISA's (IsaVtable.flag_names, presets). */
#ifndef COT_MACH_SETTINGS_H
#define COT_MACH_SETTINGS_H
#include "mach/isa.h"

typedef enum MachSettingKind {
    MACH_SETTING_BOOL,
    MACH_SETTING_NUM,
    MACH_SETTING_ENUM
} MachSettingKind;
typedef struct MachSettingInfo { /* one row */
    const char *name, *values /* of an enumeration, separated by | */, *what;
    MachSettingKind kind;
    uint32_t initial, most; /* default; largest number or index */
    size_t offset;          /* of the field in MachSettings */
} MachSettingInfo;
extern const MachSettingInfo mach_setting_info[];
extern const unsigned mach_setting_count;

/* All defaults, no processor feature. */
MachSettings mach_settings_default(void);
/* Gives the setting `name` the text `value` (NULL: a switch goes on). Booleans: true false on off yes no 1 0.
 * False: no such setting, or a value that it does not have (DIAG_INVALID); *s is then unchanged. */
bool settings_parse(MachSettings *s, const char *name, const char *value, Diag *d);
/* The same for a processor feature or preset of `isa`: has_avx, has_avx=false, skylake. */
bool settings_parse_feature(MachSettings *s, const IsaVtable *isa, const char *name,
                            const char *value, Diag *d);
/* Words `name` and `name=value` of text[0..n). isa NULL: shared settings (a `set` line); else features first, then shared
 * settings (what follows the name of a `target` line). */
bool settings_parse_words(MachSettings *s, const IsaVtable *isa, const char *text, uint32_t n,
                          Diag *d);
/* The value as text. `buf` is used for numbers. */
const char *settings_text(const MachSettings *s, const MachSettingInfo *row, char buf[24]);
#endif

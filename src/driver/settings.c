/* driver/settings.c — `cot settings`: every setting, processor feature and preset with its default, from the tables. */
#include <string.h>
#include "driver/driver.h"
#include "mach/settings.h"

static const char help[] = "usage: cot settings [TARGET]\n\n"
                           "Lists the settings that `set` lines of .clif files know, with type, "
                           "default and meaning, and the\n"
                           "processor features of TARGET (this machine's if not given): the ones "
                           "that it has are marked.\n";

int cmd_settings(int argc, char **argv) {
    Cli c = {argc, argv, 0, "settings", help, false};
    const char *arch = NULL;
    while (c.at < argc) {
        if (cli_flag(&c, "--help")) {
            fputs(help, stdout);
            return 0;
        }
        if (cli_is_option(&c) || arch) {
            cli_error(&c, "unexpected argument '%s'", argv[c.at]);
            return 1;
        }
        arch = argv[c.at++];
    }
    const IsaVtable *isa = arch ? isa_lookup(arch) : isa_host();
    if (!isa) {
        fprintf(stderr, "cot: error: no target '%s'\n", arch ? arch : "of this machine");
        return 1;
    }
    MachSettings s = mach_settings_default();
    char buf[24];
    puts("shared settings:");
    for (unsigned i = 0; i < mach_setting_count; i++) {
        const MachSettingInfo *r = &mach_setting_info[i];
        printf("  %s\n      ", r->name);
        switch (r->kind) {
        case MACH_SETTING_BOOL: printf("true or false"); break;
        case MACH_SETTING_NUM: printf("0 to %u", r->most); break;
        case MACH_SETTING_ENUM: printf("%s", r->values); break;
        }
        printf("; default %s\n      %s\n", settings_text(&s, r, buf), r->what);
    }
    printf("\nfeatures of %s (* this machine has it):\n", isa->name);
    uint64_t host = isa->host_flags();
    for (unsigned b = 0; isa->flag_names[b]; b++)
        printf("  %c %s\n", host >> b & 1 ? '*' : ' ', isa->flag_names[b]);
    printf("\npresets of %s:\n", isa->name);
    for (unsigned i = 0; isa->preset_name(i); i++) printf("  %s\n", isa->preset_name(i));
    return 0;
}

/* What is written for backtraces answers as the whole does: in every form, and for all addresses of the files that are named as
 * arguments (sections as tests/diff/dwarf_mutate.py writes them). */
#include "db.h"
#include "dwarf/out.h"
#include <stdio.h>
#include <stdlib.h>

static void text_of(Dwarf *w, uint64_t address, StrBuf *sb) {
    DwarfPlace p[32];
    sb_clear(sb);
    uint32_t n = dwarf_find(w, address, p, 32);
    for (uint32_t i = 0; i < n; i++) {
        sb_puts(sb, " < ");
        dwarf_put_text(p[i].function, sb);
        sb_putc(sb, ' ');
        dwarf_put_position(&p[i], sb);
    }
}

static void compare(const DwarfInput *in, uint64_t from, uint64_t to, const char *what) {
    Mem m;
    mem_init(&m, NULL);
    DwarfOutput o;
    dwarf_output_init(&o, &m);
    dwarf_write_places(in, &o);
    DwarfInput less;
    size_t was = 0, is = 0;
    uint64_t known = 0;
    for (unsigned s = 0; s < DWARF_SECTION_COUNT; s++) {
        less.s[s] = (DwarfBytes){o.s[s].p, o.s[s].n};
        was += in->s[s].n;
        is += o.s[s].n;
    }
    Dwarf *all = dwarf_open(&m, in), *few = dwarf_open(&m, &less);
    StrBuf want, got;
    sb_init(&want, &m);
    sb_init(&got, &m);
    for (uint64_t at = from; at < to; at++) {
        text_of(all, at, &want);
        text_of(few, at, &got);
        known += want.n != 0;
        if (strcmp(sb_cstr(&want), sb_cstr(&got)))
            fail_msg("%s, 0x%x: %s, not %s", what, (unsigned)at, sb_cstr(&got), sb_cstr(&want));
    }
    if (to > 0x1000)
        printf("%s: %u of %u addresses known; %u bytes of %u\n", what, (unsigned)known,
               (unsigned)(to - from), (unsigned)is, (unsigned)was);
    sb_free(&want);
    sb_free(&got);
    dwarf_free(all);
    dwarf_free(few);
    dwarf_output_free(&o);
    assert_int_equal(m.live, 0);
}

static void every_form_has_its_places(void **st) {
    (void)st;
    char name[32];
    Db *b = malloc(sizeof *b);
    for (uint64_t seed = 0; seed < 3000; seed++) {
        db_make(b, seed);
        snprintf(name, sizeof name, "seed %u", (unsigned)seed);
        compare(&b->in, 1, 0x60, name);
    }
    free(b);
}

static char **files;
static void files_have_their_places(void **st) {
    (void)st;
    for (char **f = files; *f; f++) {
        FILE *file = fopen(*f, "rb");
        if (!file) fail_msg("%s cannot be read", *f);
        DwarfInput in;
        uint8_t head[4];
        memset(&in, 0, sizeof in);
        (void)fgetc(file); /* the fuzz target's */
        while (fread(head, 1, 4, file) == 4) {
            size_t n = head[1] | (size_t)head[2] << 8 | (size_t)head[3] << 16;
            uint8_t *p = malloc(n + 1);
            if (fread(p, 1, n, file) != n || head[0] >= DWARF_SECTION_COUNT) fail_msg("%s", *f);
            in.s[head[0]] = (DwarfBytes){p, n};
        }
        fclose(file);
        compare(&in, 1, 0x200000, *f);
        for (unsigned s = 0; s < DWARF_SECTION_COUNT; s++) free((void *)(uintptr_t)in.s[s].p);
    }
}

int main(int argc, char **argv) {
    const struct CMUnitTest forms[] = {cmocka_unit_test(every_form_has_its_places)};
    const struct CMUnitTest given[] = {cmocka_unit_test(files_have_their_places)};
    files = argv + 1;
    return argc > 1 ? cmocka_run_group_tests(given, NULL, NULL)
                    : cmocka_run_group_tests(forms, NULL, NULL);
}

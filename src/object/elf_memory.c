/* object/elf_memory.c — code that is in memory already, described as an ELF file for debuggers.
 *
 * The file holds no code: .text is a range of addresses. What it has are the functions as symbols, a copy of their
 * unwinding entries, and debugging information if there is some. */
#include "object/elf_int.h"

bool object_describe(Mem *m, const ObjectMemory *o, VecU8 *out, Diag *d) {
    enum { ET_EXEC = 2 };
    const ElfMachine *machine = elf_machine(o->isa, d);
    if (!machine) return false;
    ElfFile e;
    VecU8 syms = {0}, names = {0};
    elf_begin(&e, m, out, 0);
    ElfSection text = {.type = SHT_NOBITS,
                       .flags = SHF_ALLOC | SHF_EXEC,
                       .addr = o->address,
                       .offset = elf_here(&e),
                       .size = o->size,
                       .align = 16};
    uint32_t code = elf_section(&e, ".text", 5, text);
    if (o->frames_size) {
        ElfSection frames = {.type = SHT_PROGBITS,
                             .flags = SHF_ALLOC,
                             .addr = (uintptr_t)o->frames,
                             .offset = elf_align(&e, 8),
                             .size = o->frames_size,
                             .align = 8};
        elf_section(&e, ".eh_frame", 9, frames);
        bytes_copy(m, out, o->frames, (size_t)o->frames_size);
    }
    for (unsigned k = 0; o->dwarf && k < DWARF_SECTION_COUNT; k++) {
        const VecU8 *s = &o->dwarf->s[k];
        if (!s->n) continue;
        ElfSection debug = {
            .type = SHT_PROGBITS, .offset = elf_align(&e, 8), .size = s->n, .align = 1};
        elf_section(&e, dwarf_section_name[k], strlen(dwarf_section_name[k]), debug);
        bytes_copy(m, out, s->p, s->n);
    }
    bytes_put(m, &names, 0, 1);
    elf_put_sym(m, &syms, 0, 0, 0, 0, 0, 0, 0);
    for (uint32_t i = 0; i < o->nfuncs; i++) {
        const ObjectCode *f = &o->funcs[i];
        elf_put_sym(m, &syms, bytes_string(m, &names, f->name, strlen(f->name)),
                    o->local ? STB_LOCAL : STB_GLOBAL, STT_FUNC, STV_DEFAULT, (uint16_t)code,
                    f->address, f->size);
    }
    ElfSection symtab = {.type = SHT_SYMTAB,
                         .link = e.sections.n + 1,
                         .info = o->local ? o->nfuncs + 1 : 1,
                         .align = 8,
                         .entsize = ELF_SYM,
                         .offset = elf_align(&e, 8),
                         .size = syms.n};
    elf_section(&e, ".symtab", 7, symtab);
    bytes_copy(m, out, syms.p, syms.n);
    ElfSection strtab = {.type = SHT_STRTAB, .align = 1, .offset = elf_here(&e), .size = names.n};
    elf_section(&e, ".strtab", 7, strtab);
    bytes_copy(m, out, names.p, names.n);
    elf_end(&e, ET_EXEC, machine->machine, 0, 0);
    elf_free(&e);
    vec_free(m, &syms);
    vec_free(m, &names);
    return true;
}

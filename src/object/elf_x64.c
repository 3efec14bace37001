/* object/elf_x64.c — ELF for x86-64: types of relocations, stubs, instructions that need no table after all (psABI 4.4, 5.2, B.2). */
#include "object/elf_int.h"

/* jmp *slot(%rip); xchg %ax, %ax */
static void put_stub(uint8_t *stub, int64_t distance) {
    static const uint8_t code[8] = {0xff, 0x25, 0, 0, 0, 0, 0x66, 0x90};
    memcpy(stub, code, sizeof code);
    bytes_set(stub + 2, (uint64_t)(distance - 6), 4);
}

static void relax(uint8_t *field, MachRelocKind kind, int64_t delta) {
    if (kind == MACH_RELOC_X86_MOV_GOTPCREL4) { /* mov slot(%rip), %r -> lea target(%rip), %r */
        field[-2] = 0x8d;
    } else if (field[-1] == 0x25) { /* jmp *slot(%rip) -> jmp target; nop */
        field[-2] = 0xe9;
        bytes_set(field - 1, (uint64_t)(delta + 1), 4);
        field[3] = 0x90;
        return;
    } else { /* call *slot(%rip) -> addr32 call target */
        field[-2] = 0x67;
        field[-1] = 0xe8;
    }
    bytes_set(field, (uint64_t)delta, 4);
}

const ElfMachine elf_x64 = {
    .isa = "x86_64",
    .machine = 62,
    .padding = 0xcc,
    .relocs =
        {
            [MACH_RELOC_ABS8] = 1,               /* R_X86_64_64 */
            [MACH_RELOC_ABS4] = 10,              /* R_X86_64_32 */
            [MACH_RELOC_X86_PCREL4] = 2,         /* R_X86_64_PC32 */
            [MACH_RELOC_X86_CALL_PCREL4] = 4,    /* R_X86_64_PLT32 */
            [MACH_RELOC_X86_CALL_PLT] = 4,       /* R_X86_64_PLT32 */
            [MACH_RELOC_X86_GOTPCREL4] = 41,     /* R_X86_64_GOTPCRELX */
            [MACH_RELOC_X86_MOV_GOTPCREL4] = 42, /* R_X86_64_REX_GOTPCRELX */
            [MACH_RELOC_ELF_X86_TLSGD] = 19,     /* R_X86_64_TLSGD */
        },
    .distances = 1u << MACH_RELOC_X86_PCREL4 | 1u << MACH_RELOC_X86_CALL_PCREL4 |
                 1u << MACH_RELOC_X86_CALL_PLT,
    .page = 4096,
    .dyn_abs = 1,       /* R_X86_64_64 */
    .dyn_relative = 8,  /* R_X86_64_RELATIVE */
    .dyn_glob_dat = 6,  /* R_X86_64_GLOB_DAT */
    .dyn_jump_slot = 7, /* R_X86_64_JUMP_SLOT */
    .dyn_dtpmod = 16,   /* R_X86_64_DTPMOD64 */
    .dyn_dtpoff = 17,   /* R_X86_64_DTPOFF64 */
    .dyn_tpoff = 18,    /* R_X86_64_TPOFF64 */
    .stub_bytes = 8,
    .put_stub = put_stub,
    .relax = relax,
};

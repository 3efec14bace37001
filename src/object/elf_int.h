/* object/elf_int.h — ELF's numbers and structures, for the files of this folder that write it. 64-bit little-endian only.
 * Reference: the System V ABI (gABI chapters 4 and 5, psABI x86-64). */
#ifndef COT_OBJECT_ELF_INT_H
#define COT_OBJECT_ELF_INT_H
#include "object/bytes.h"
#include "object/plan.h"

enum {
    ELF_HEADER = 64,
    ELF_SECTION_HEADER = 64,
    ELF_PROGRAM_HEADER = 56,
    ELF_SYM = 24,
    ELF_RELA = 24
};
enum { ET_REL = 1, ET_DYN = 3 };
enum { SHN_LORESERVE = 0xff00, SHN_ABS = 0xfff1, SHN_XINDEX = 0xffff };
enum {
    SHT_PROGBITS = 1,
    SHT_SYMTAB = 2,
    SHT_STRTAB = 3,
    SHT_RELA = 4,
    SHT_HASH = 5,
    SHT_DYNAMIC = 6,
    SHT_NOTE = 7,
    SHT_NOBITS = 8,
    SHT_DYNSYM = 11,
    SHT_INIT_ARRAY = 14,
    SHT_FINI_ARRAY = 15,
    SHT_PREINIT_ARRAY = 16,
    SHT_GROUP = 17,
    SHT_SYMTAB_SHNDX = 18,
    SHT_GNU_HASH = 0x6ffffff6
};
enum {
    SHF_WRITE = 1,
    SHF_ALLOC = 2,
    SHF_EXEC = 4,
    SHF_MERGE = 0x10,
    SHF_STRINGS = 0x20,
    SHF_INFO_LINK = 0x40,
    SHF_GROUP = 0x200,
    SHF_TLS = 0x400,
    SHF_GNU_RETAIN = 0x200000
};
enum { STB_LOCAL, STB_GLOBAL, STB_WEAK };
enum { STT_NOTYPE, STT_OBJECT, STT_FUNC, STT_SECTION, STT_FILE, STT_TLS = 6 };
enum { STV_DEFAULT, STV_HIDDEN = 2 };

typedef struct ElfSection {
    uint32_t name, type; /* name: in the table of section names */
    uint64_t flags, addr, offset, size;
    uint32_t link, info;
    uint64_t align, entsize;
} ElfSection;

typedef struct ElfMachine { /* what differs between processors */
    const char *isa;
    uint16_t machine;
    uint8_t padding;                   /* byte between functions */
    uint16_t relocs[MACH_RELOC_COUNT]; /* type of relocation for each kind; 0: none */
    uint32_t distances; /* bit per kind: a 32-bit distance, known once both ends are placed */
    uint32_t page;      /* segments of a file that is loaded begin on such a boundary */
    /* types of relocations that the loader applies */
    uint16_t dyn_abs, dyn_relative, dyn_glob_dat, dyn_jump_slot, dyn_dtpmod, dyn_dtpoff, dyn_tpoff;
    uint16_t stub_bytes;
    /* A jump to the address that is in memory at `slot`, `distance` bytes behind the stub. */
    void (*put_stub)(uint8_t *stub, int64_t distance);
    /* What went through a table of addresses now goes straight: the instruction whose operand is at field is changed, and the
     * operand is delta, the distance from field to the target plus addend. */
    void (*relax)(uint8_t *field, MachRelocKind kind, int64_t delta);
} ElfMachine;
extern const ElfMachine elf_x64;
/* NULL: no row for it. */
const ElfMachine *elf_machine(const IsaVtable *isa, Diag *d);

/* elf.c: parts of every ELF file */
typedef struct ElfFile {
    Mem *mem;
    VecU8 *out;
    uint32_t start; /* of the file in *out */
    VEC(ElfSection) sections;
    VecU8 names;
} ElfFile;
void elf_begin(ElfFile *e, Mem *m, VecU8 *out, uint32_t program_headers);
void elf_free(ElfFile *e);
/* A section header; contents follow with offset and size set by the caller. */
uint32_t elf_section(ElfFile *e, const char *name, size_t len, ElfSection s);
/* Offset in the file of what comes next, after padding. */
uint64_t elf_align(ElfFile *e, uint64_t align);
static inline uint64_t elf_here(const ElfFile *e) {
    return e->out->n - e->start;
}
/* Writes a section's definitions or made bytes at the end of the file. */
void elf_contents(ElfFile *e, const ObjPlan *p, const ObjSection *s, uint8_t padding);
void elf_put_sym(Mem *m, VecU8 *to, uint32_t name, unsigned bind, unsigned type,
                 unsigned visibility, uint16_t section, uint64_t value, uint64_t size);
/* The section name table, the section headers, and the file header at the start. */
void elf_end(ElfFile *e, uint16_t type, uint16_t machine, uint64_t entry, uint32_t program_headers);
/* Section type and flags for a part; name: for those that have a meaning (.init_array). */
ElfSection elf_section_of(const ObjPlan *p, const ObjSection *s);
unsigned elf_sym_type(LinkKind kind);

/* The files' writers. */
bool elf_write_relocatable(ObjPlan *p, VecU8 *out, Diag *d);
bool elf_write_shared(ObjPlan *p, VecU8 *out, Diag *d);
#endif

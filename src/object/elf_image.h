/* object/elf_image.h — an ELF file that is loaded as it is, while it is being made: shared by elf_image.c, elf_scan.c, elf_dynamic.c.
 *
 *   scan (elf_scan.c)       every relocation: what does it need at run time? stubs, words of the table of addresses (.got),
 *                           relocations for the loader, imports
 *   tables (elf_dynamic.c)  symbols, hash table, relocations and .dynamic, of known size, without addresses
 *   layout, contents        (elf_image.c) addresses; then every table is filled and every relocation applied
 *
 * Sections are those of the plan, to which the tables are added. Offsets in the file are addresses. */
#ifndef COT_OBJECT_ELF_IMAGE_H
#define COT_OBJECT_ELF_IMAGE_H
#include "object/elf_int.h"

typedef struct ImageSym {
    uint32_t dyn;  /* 1 + number among dynamic symbols; while they are collected: not 0 */
    uint32_t got;  /* 1 + word that holds its address */
    uint32_t stub; /* 1 + stub that jumps there */
    uint32_t tls;  /* 1 + first of two words: module and offset */
    uint32_t edge; /* 1 + section of which it is the start, or + SECTION_END the end */
} ImageSym;
#define SECTION_END 0x80000000u

typedef enum GotKind { GOT_ADDRESS, GOT_TLS_MODULE, GOT_TLS_OFFSET } GotKind;
typedef struct GotWord {
    LinkSym sym;
    GotKind kind;
} GotWord;
typedef struct DynReloc { /* for the loader: at a place in a section */
    uint32_t section;
    uint16_t type;
    bool relative; /* the symbol's address is known but for where the file is loaded */
    LinkSym sym;   /* LINK_NO_SYM: none */
    uint64_t offset;
    int64_t addend;
} DynReloc;

typedef struct Image {
    ObjPlan *p;
    Mem *m;
    const ElfMachine *machine;
    Diag *d;
    VEC(ImageSym) syms;
    VEC(GotWord) got;
    VecU32 stubs; /* symbols */
    VEC(DynReloc) relocs;
    uint32_t nrelative;
    VecU32 dynsyms; /* symbols, in the order of the table; the first of it is none */
    uint32_t first_hashed, nbuckets, bloom_words;
    VecU32 hashes; /* of the symbols from first_hashed on */
    VecU8 dynstr;
    VecU32 needed; /* offsets in dynstr */
    uint32_t soname;
    struct { /* sections of the plan, OBJ_NO_SECTION = not there */
        uint32_t got, stubs, dynsym, dynstr, hash, rela, rela_stubs, dynamic, build_id, eh_hdr;
    } at;
    VecU64 address;       /* per section of the plan */
    uint64_t tls_address; /* of the thread-local data */
    VecU32 index;         /* per section: number in the file */
    VecU32 order;         /* sections in file order */
} Image;

/* Is the definition here the one that is meant? */
bool image_is_final(const Image *i, LinkSym s);
/* Does a reference of that kind to s need nothing of the loader but where the file is? */
bool image_goes_direct(const Image *i, MachRelocKind kind, LinkSym s);
uint64_t image_address(const Image *i, LinkSym s);
bool image_scan(Image *i);
/* elf_dynamic.c */
void image_collect(Image *i);     /* dynamic symbols, strings; sizes of the tables */
void image_fill_tables(Image *i); /* once addresses are known */
uint32_t image_table(Image *i, const char *name, ObjPart part, uint32_t align, uint64_t size);
static inline uint8_t *image_bytes(Image *i, uint32_t section) {
    return i->p->sections.p[section].bytes.p;
}
#endif

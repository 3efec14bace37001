/* object/object.h — object files: what a Linkable holds, as a file that linkers and loaders read.
 *
 *   Linkable ──plan──► sections, each with its definitions, places of all symbols, made sections (unwinding, debugging)
 *                 └──► a format's writer: relocatable object or linked image ──► bytes
 *
 * The plan (plan.h) knows no format; a format is one row of the registry (registry.c) and the files with its name. The same input
 * and options give the same bytes. */
#ifndef COT_OBJECT_OBJECT_H
#define COT_OBJECT_OBJECT_H
#include "dwarf/out.h"
#include "module/linkable.h"

typedef enum ObjectKind {
    OBJECT_RELOCATABLE, /* for a linker */
    OBJECT_SHARED       /* a shared library, ready to be loaded */
} ObjectKind;

typedef struct ObjectOptions {
    ObjectKind kind;
    bool function_sections, data_sections; /* a section for each definition */
    const char *source;                    /* name of the source file, NULL = none is told */
    bool debug;                            /* source locations are lines of source: say so */
    const DwarfOutput *dwarf;    /* debug information that is there already, NULL = none */
    const LinkSym *dwarf_chunks; /* which symbol each chunk of its code is */
    /* of a shared library: */
    const char *soname;        /* NULL = it has none */
    const char *const *needed; /* libraries that are to be loaded with it */
    uint32_t nneeded;
    const char *math_library; /* is one more if its routines are called; NULL = not by itself */
} ObjectOptions;

typedef struct ObjectFormat ObjectFormat;
/* "elf"; NULL: there is no such format. */
const ObjectFormat *object_format(const char *name);
typedef struct ObjectTarget {
    const IsaVtable *isa;
    const ObjectFormat *format;
    const char *math_library;
} ObjectTarget;
/* ARCH, or ARCH-SYSTEM with anything before and behind the system: x86_64-unknown-linux-gnu. NULL: this machine. */
bool object_target(const char *text, ObjectTarget *t, Diag *d);
/* The file's bytes, appended to *out. DIAG_LINK: a local symbol is not defined, a relocation that the format does not have;
 * DIAG_UNSUPPORTED: a kind of file or a machine that the format's writer does not know; DIAG_LIMIT. */
bool object_write(const ObjectFormat *f, const Linkable *k, const ObjectOptions *o, VecU8 *out,
                  Diag *d);

/* Code that is in memory already: a file for debuggers that says what is where. */
typedef struct ObjectCode {
    const char *name;
    uint64_t address, size;
} ObjectCode;
typedef struct ObjectMemory {
    const IsaVtable *isa;
    uint64_t address, size; /* of all of it */
    const ObjectCode *funcs;
    uint32_t nfuncs;
    const uint8_t *frames; /* .eh_frame at its place; NULL: none */
    uint64_t frames_size;
    bool local;               /* the functions' names are not meant for others */
    const DwarfOutput *dwarf; /* placed; NULL: none */
} ObjectMemory;
bool object_describe(Mem *m, const ObjectMemory *o, VecU8 *out, Diag *d);
#endif

/* object/plan.h — what goes into which section at which offset, for any format. */
#ifndef COT_OBJECT_PLAN_H
#define COT_OBJECT_PLAN_H
#include "object/cfi.h"
#include "object/object.h"

typedef enum ObjPart { /* what a section is for; decides how it is mapped */
                       OBJ_TEXT,
                       OBJ_RODATA,
                       OBJ_RELRO, /* written by the loader only */
                       OBJ_DATA,
                       OBJ_BSS,
                       OBJ_TDATA,
                       OBJ_TBSS,
                       OBJ_UNWIND, /* .eh_frame */
                       OBJ_DEBUG,  /* not loaded */
                       OBJ_PARTS
} ObjPart;

enum { OBJ_NO_SECTION = UINT32_MAX };
typedef struct ObjReloc { /* in a made section */
    uint64_t offset;
    uint32_t section; /* target: offset `addend` of that section */
    uint8_t kind;     /* MachRelocKind */
    int64_t addend;
} ObjReloc;
VEC_TYPEDEF(ObjRelocs, ObjReloc);

typedef struct ObjSection {
    uint32_t name, name_len; /* in ObjPlan.names */
    uint8_t part;
    bool retain;
    uint32_t align;
    uint64_t size;
    uint32_t first, n; /* its definitions, in ObjPlan.order */
    LinkSym comdat;    /* of which symbol's group it is, or LINK_NO_SYM */
    VecU8 bytes;       /* a made section, which has no definitions */
    ObjRelocs relocs;
} ObjSection;

typedef struct ObjPlace { /* of a symbol with a definition */
    uint32_t section;     /* OBJ_NO_SECTION: it has none */
    uint64_t offset;
} ObjPlace;

typedef struct ObjPlan {
    Mem *mem;
    const Linkable *k;
    const ObjectOptions *o;
    VEC(ObjSection) sections;
    VecU32 order;         /* symbols by section */
    VEC(ObjPlace) places; /* by symbol; not of labels */
    VecU8 names;
    uint32_t unwind;   /* section of the unwinding entries; OBJ_NO_SECTION: there are none */
    VEC(CfiSite) fdes; /* the entries */
} ObjPlan;

/* Lays out everything that waits in k. */
void plan_init(ObjPlan *p, Mem *m, const Linkable *k, const ObjectOptions *o);
void plan_free(ObjPlan *p);
/* A made section, empty; its index. */
uint32_t plan_add(ObjPlan *p, const char *name, ObjPart part, uint32_t align);
/* Where a symbol is, labels included; section OBJ_NO_SECTION: not here. */
ObjPlace plan_place(const ObjPlan *p, LinkSym s);
static inline const LinkDef *plan_def(const ObjPlan *p, uint32_t at) { /* index into order */
    return p->k->syms.p[p->order.p[at]].def;
}

struct ObjectFormat {
    const char *name;
    bool (*write[2])(ObjPlan *p, VecU8 *out, Diag *d); /* by ObjectKind */
};
extern const ObjectFormat object_elf;
#endif

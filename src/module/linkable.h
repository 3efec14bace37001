/* module/linkable.h — functions and data by name, before anybody gave them addresses: the one model that jit/ links in memory and
 * object/ writes to files. Independent of the target and of the object format.
 *
 * A symbol is declared once by name and gets a dense number. A definition gives it bytes, relocations against other symbols and
 * what is known about the code (traps, source locations, unwinding steps). Symbols without a definition are somebody
 * else's. Everything is kept in the order in which it came, so that what is made of it is the same every time.
 *
 *   symbol ──► definition ──► body: bytes, relocations        (dropped by the JIT once it has placed them)
 *                        └──► facts: traps, locations, unwinding
 *          └─► label: a place inside another symbol's definition
 *
 * All memory comes from one Mem; a function that runs out of it leaves through its oom, and the whole can still be freed. */
#ifndef COT_MODULE_LINKABLE_H
#define COT_MODULE_LINKABLE_H
#include "base/hashmap.h"
#include "mach/isa.h"

typedef uint32_t LinkSym;
#define LINK_NO_SYM UINT32_MAX
#define LINK_USUAL_SECTION UINT32_MAX

/* Who sees a symbol. Of one without a definition: where the definition may be. */
typedef enum LinkBinding {
    LINK_EXPORT, /* everybody; what is defined here is what is meant here. Undefined: an import */
    LINK_WEAK,   /* everybody; another definition may take its place. Undefined: may stay 0 */
    LINK_HIDDEN, /* what is linked into the same file */
    LINK_LOCAL   /* nobody else; must be defined here */
} LinkBinding;

typedef enum LinkKind {
    LINK_UNDEFINED,
    LINK_FUNC,
    LINK_CONST, /* data that nobody writes, but for addresses before the program starts */
    LINK_DATA,
    LINK_TLS, /* the initial image of each thread's own */
    LINK_LABEL
} LinkKind;

typedef struct LinkReloc { /* as MachReloc, the name being a symbol */
    uint32_t offset;
    uint8_t kind; /* MachRelocKind */
    LinkSym target;
    int64_t addend;
} LinkReloc;

enum {                   /* LinkDef.flags */
       LINK_RETAIN = 1,  /* linkers may not drop it although nobody refers to it */
       LINK_COMDAT = 2,  /* of several files' definitions with this name one is kept */
       LINK_BORROWED = 4 /* the bytes are the caller's and stay where they are */
};
typedef struct LinkDef {
    LinkSym sym;
    uint8_t kind; /* LinkKind: function or data */
    uint8_t flags;
    uint32_t align;
    uint64_t size;
    uint32_t section;        /* index into Linkable.sections, UINT32_MAX = the usual one for it */
    const uint8_t *bytes;    /* body; NULL: zeros */
    const LinkReloc *relocs; /* body; sorted by offset if the caller's were */
    uint32_t nrelocs;
    uint32_t ntraps, nlocs, nunwind;
    const MachTrap *traps;
    const MachSrcLoc *locs;
    const MachUnwind *unwind; /* NULL: not known (a function without it cannot be unwound) */
    size_t room, body_room;   /* bytes of the two blocks */
    void *body;
} LinkDef;

typedef struct LinkSymbol {
    const char *name; /* NUL-terminated; of a nameless one "" */
    uint32_t len;
    LinkSym same_hash; /* next symbol whose name has this hash */
    uint8_t binding;   /* LinkBinding */
    uint8_t libcall;   /* 0, or 1 + ClifLibCall: compiled code calls it by that number */
    uint8_t flags;     /* LINK_RETAIN, LINK_COMDAT */
    uint32_t
        section; /* where its definition goes: index into Linkable.sections, or LINK_USUAL_SECTION */
    LinkDef *def;
    LinkSym base;          /* label: inside which symbol; else LINK_NO_SYM */
    uint64_t offset, size; /* of a label */
    uint32_t waits_at;     /* index in `waiting`, UINT32_MAX = it is not there */
} LinkSymbol;

typedef struct LinkSection {
    char *name;
    uint32_t len;
} LinkSection;

typedef struct Linkable {
    Mem *mem;
    const IsaVtable *isa;
    VEC(LinkSymbol) syms;
    HashMap by_name; /* hash of the name -> symbol */
    VecU32 waiting;  /* symbols with definitions that nobody took yet, in order */
    VEC(LinkSection) sections;
    LinkSym libcalls[CLIF_LIBCALL_COUNT]; /* 1 + symbol */
} Linkable;

void linkable_init(Linkable *k, Mem *m, const IsaVtable *isa);
void linkable_free(Linkable *k);

/* ---- symbols ---- */
/* The symbol of that name, new (exported) or not. */
LinkSym linkable_symbol(Linkable *k, const char *name, size_t len);
LinkSym linkable_find(const Linkable *k, const char *name, size_t len); /* or LINK_NO_SYM */
/* A new local symbol without a name. */
LinkSym linkable_anonymous(Linkable *k);
/* A new local symbol of that name. No look-up finds it, and any number may have the same name. */
LinkSym linkable_local(Linkable *k, const char *name, size_t len);
/* The symbol that compiled code calls as a routine of the library. */
LinkSym linkable_libcall(Linkable *k, ClifLibCall call);
/* Binding, flags and section are the caller's to set, before the symbol is written. */
static inline LinkSymbol *linkable_declared(Linkable *k, LinkSym s) {
    return &k->syms.p[s];
}
static inline const LinkSymbol *linkable_at(const Linkable *k, LinkSym s) {
    return &k->syms.p[s];
}
static inline LinkKind linkable_kind(const Linkable *k, LinkSym s) {
    const LinkSymbol *y = &k->syms.p[s];
    return y->def ? (LinkKind)y->def->kind : y->base != LINK_NO_SYM ? LINK_LABEL : LINK_UNDEFINED;
}
/* The symbol whose definition holds s, and s's offset in it: itself, or what a label leads to. *in is undefined if s is. */
uint64_t linkable_place(const Linkable *k, LinkSym s, LinkSym *in);
/* A section of that name for definitions to go to. */
uint32_t linkable_section(Linkable *k, const char *name, size_t len);

/* ---- definitions ---- All false with DIAG_INVALID if there is one already or a name is none; nothing has changed then. */
/* Compiled code refers to symbol n as u0:n. If f is given, names of text (%name) are symbols' names, declared if new; with
 * text_numbers so are numbers: u1:2 is the symbol "u1_2". */
typedef struct LinkCode {
    const MachCompiled *code;
    const ClifFunc *f; /* may be NULL */
    bool text_numbers;
    bool borrowed; /* the bytes stay where they are */
} LinkCode;
bool linkable_define_func(Linkable *k, LinkSym s, const LinkCode *c, Diag *d);
/* The symbol's name for a number of text: "u1_2". */
LinkSym linkable_text_name(Linkable *k, const ClifFunc *f, ClifName n);

typedef struct LinkAddress { /* a pointer inside data becomes the address of target plus addend */
    uint64_t offset;
    int64_t addend;
    LinkSym target;
} LinkAddress;
typedef struct LinkData {
    const uint8_t *bytes; /* NULL: zeros */
    uint64_t size;
    uint32_t align; /* a power of two */
    uint8_t kind;   /* LINK_CONST, LINK_DATA, LINK_TLS */
    bool borrowed;  /* the bytes stay where they are */
    const LinkAddress *addresses;
    uint32_t naddresses;
} LinkData;
bool linkable_define_data(Linkable *k, LinkSym s, const LinkData *t, Diag *d);
/* s is the place offset bytes behind base, which is defined or will be. */
bool linkable_define_label(Linkable *k, LinkSym s, LinkSym base, uint64_t offset, uint64_t size,
                           Diag *d);
/* Takes a definition back. Cost: that of looking at all that wait behind it. */
void linkable_undefine(Linkable *k, LinkSym s);

/* ---- for those who place definitions ---- */
/* Gives bytes and relocations back; the facts stay. */
void linkable_drop_body(Linkable *k, LinkDef *def);
/* All that waits is taken. */
void linkable_taken(Linkable *k);
#endif

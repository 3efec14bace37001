/* image/image.h — a compiled module as one block of bytes: what the compiler hands to the runtime, in memory and in files.
 *
 * Problem     The runtime must start a module without knowing the compiler that made it, and without reading what it does not
 *             use: a precompiled module is mapped, not parsed.
 * Idea        A header, then tables of fixed-size little-endian entries that refer to each other by index or offset, then, page
 *             aligned, position-independent machine code. Behind the image, which is not part of it, lies one page of
 *             slots: the addresses of the routines that the code calls through it (ROUTINES). Nothing in the image
 *             depends on where it lies, so a file of it, a segment of a program and a block made by the compiler are the
 *             same thing. Everything else the code reaches goes through its context (vmctx.h).
 *
 *     0            header (ImgHeader)
 *                  tables (sections.def), each aligned to 8
 *     code_off     code, aligned to IMG_PAGE                    mapped read + execute
 *     + code_size  end of the image; then, from the next multiple of IMG_PAGE:
 *                  slots, 8 bytes each                          filled in by the runtime, then read-only
 *
 * Versions    IMG_ABI numbers the contract of images, contexts and routines; it is not the compiler's version. `layout` is a hash
 *             of the contract's layout, which catches a forgotten new number.
 * Invariants  img_open accepts only images in which every index and offset that the runtime follows stays inside. Tables that are
 *             only searched (CODES, TRAP_*, LOC_*) are not read then: their look-ups are safe whatever they hold.
 * Cost        img_open: linear in the small tables; with sums, one pass over all bytes. */
#ifndef COT_IMAGE_IMAGE_H
#define COT_IMAGE_IMAGE_H
#include <stddef.h>
#include "base/diag.h"
#include "image/types.h"
#include "image/vmctx.h"

enum { IMG_ABI = 4, IMG_PAGE = 4096 };
#define IMG_NONE UINT32_MAX

/* What the engine must have for the code to run as compiled. */
enum {
    IMG_NEEDS_GUARDS = 1, /* memories are reserved with guard pages: no bounds checks in the code */
    IMG_NEEDS_SIGNALS = 2, /* hardware faults become traps */
    IMG_HAS_POLLS = 4,     /* no need: rt_store_interrupt works */
    IMG_KNOWN_FLAGS = 7
};
enum { IMG_ARCH_X86_64 = 1 };

typedef struct ImgSpan {
    uint32_t off, n; /* from the header; in elements */
} ImgSpan;

enum {
#define IMG_SECTION(NAME, field, T) IMG_##NAME,
#include "image/sections.def"
#undef IMG_SECTION
    IMG_SECTION_COUNT
};

#define IMG_MAGIC \
    "\x7F"        \
    "cotimg"
typedef struct ImgHeader {
    char magic[8]; /* IMG_MAGIC with its NUL */
    uint32_t abi;  /* IMG_ABI */
    uint32_t arch; /* IMG_ARCH_*; the system is Linux or one that calls and faults like it */
    uint64_t layout;
    uint64_t cpu; /* processor features that the code may use, bits of cpu.h */
    uint32_t flags;
    uint32_t start; /* function, or IMG_NONE */
    uint32_t imported_funcs, imported_tables, imported_memories, imported_globals;
    uint32_t funcrefs;    /* functions that can be referenced */
    uint32_t const_depth; /* operators of the longest constant expression, at least 1 */
    uint32_t wasm_code;   /* offset in the module from where SOURCE counts addresses */
    uint32_t reserved;
    uint64_t meta_size; /* header and tables */
    uint64_t code_off, code_size;
    uint64_t meta_sum; /* img_sum of all before the code, with this field zero; 0: not computed */
    uint64_t code_sum;
    ImgSpan sections[IMG_SECTION_COUNT];
} ImgHeader;
_Static_assert(sizeof(ImgHeader) == 112 + 8 * IMG_SECTION_COUNT, "no padding");

/* ---- modules in objects ---- */
/* What NAME_module of an object is (CotLinkedModule of cot/wasm.h); IMG_OBJECT_ABI numbers its form and the rest of what an
 * object expects of the runtime besides IMG_ABI. */
enum { IMG_OBJECT_ABI = 1 };
#define IMG_OBJECT_ABI_SYMBOL "cot_object_abi_1"
typedef struct ImgLinked {
    uint32_t abi, reserved;
    const void *tables, *code;
    void *slots;
    void (*needs)(void);
} ImgLinked;

/* ---- elements of tables ---- */
typedef struct ImgStr {
    uint32_t off, n; /* in STRINGS; off = 0: none */
} ImgStr;
typedef struct ImgType {
    uint32_t first; /* of its parameters in VALTYPES; results follow */
    uint16_t nparams, nresults;
    uint32_t entry, host; /* code offsets of its adapters: C to Wasm, Wasm to host function */
} ImgType;
typedef struct ImgImport {
    ImgStr module, name;
    uint32_t kind, index; /* WasmExternKind; in its index space */
} ImgImport;
typedef struct ImgExport {
    ImgStr name;
    uint32_t kind, index;
    uint32_t next; /* earlier export of the same chain, or IMG_NONE */
} ImgExport;
typedef struct ImgFunc {
    uint32_t type;
    uint32_t funcref; /* index among those that can be referenced, or IMG_NONE */
} ImgFunc;
enum { IMG_HAS_MAX = 1 };
typedef struct ImgTable {
    uint64_t min, max;
    uint32_t elem, flags;
} ImgTable;
typedef struct ImgMemory {
    uint64_t min, max;
    uint32_t flags, reserved;
} ImgMemory;
typedef struct ImgExpr {
    uint32_t first, n; /* in CONSTS */
} ImgExpr;
typedef struct ImgGlobal {
    uint32_t type, mut;
    ImgExpr init; /* n = 0: imported */
} ImgGlobal;
typedef struct ImgElem {
    uint32_t mode, type, table; /* WasmSegMode */
    ImgExpr offset;             /* active ones */
    uint32_t exprs;             /* 1: first, n are in ELEM_EXPRS; 0: in ELEM_FUNCS */
    uint32_t first, n;
} ImgElem;
typedef struct ImgData {
    uint32_t mode, memory;
    ImgExpr offset;
    uint32_t off, n; /* in BYTES */
} ImgData;
typedef struct ImgConst {
    uint32_t op, reserved;
    uint64_t imm;
} ImgConst;
typedef struct ImgCode {
    uint32_t off, size;
} ImgCode;
enum { IMG_SOURCE_FACTS = 64 };
typedef struct ImgSource {
    uint32_t
        kind; /* row of dwarf/sections.def; or IMG_SOURCE_FACTS, for debuggers (compiler/facts_image.c) */
    uint32_t off, n; /* in BYTES */
} ImgSource;
typedef struct ImgBlock { /* see codemap.h */
    uint32_t key, value, at;
} ImgBlock;

/* ---- an image that is open ---- */
typedef struct Image {
    const ImgHeader *h;
    const uint8_t *code;
    VmLayout layout;
#define IMG_SECTION(NAME, field, T) \
    const T *field;                 \
    uint32_t n##field;
#include "image/sections.def"
#undef IMG_SECTION
} Image;

typedef enum ImgTrust {
    IMG_TRUSTED, /* made in this process or linked into this program: only the version is checked */
    IMG_CHECKED, /* everything but the sums */
    IMG_VERIFIED, /* everything */
} ImgTrust;
/* bytes: aligned to 8; image->code points into them. False: DIAG_MALFORMED (not an image, damaged), DIAG_UNSUPPORTED (for another
 * version, machine or processor). */
bool img_open(Image *image, const void *bytes, size_t size, ImgTrust trust, Diag *d);
/* The view of an image that this process has made, perhaps for another processor. */
void img_view(Image *image, const void *bytes);
/* Of an image that is part of this program, code apart. Only the version is checked. */
bool img_open_linked(Image *image, const void *tables, const void *code, Diag *d);
bool img_has_magic(const void *bytes, size_t size);
/* Sums of an image in memory into a header, which may be the image's own or a copy of it. */
void img_set_sums(ImgHeader *h, const uint8_t *bytes);
uint64_t img_layout_hash(void);
static inline uint64_t img_size(const ImgHeader *h) {
    return h->code_off + h->code_size;
}

static inline WasmStr img_str(const Image *m, ImgStr s) {
    return (WasmStr){s.off ? m->strings + s.off : NULL, s.n};
}
/* Which of the buckets, a power of two, a name is in. */
uint32_t img_bucket(const char *name, size_t n, uint32_t nbuckets);
uint32_t img_find_export(const Image *m, const char *name, size_t n); /* IMG_NONE = none */
/* By code offset: index in CODES (IMG_NONE: an adapter, or outside); trap code or VM_TRAP_NONE; offset of the operator in the
 * module or IMG_NONE. Safe in signal handlers, and for any contents of the tables. */
uint32_t img_find_func(const Image *m, uint32_t offset);
VmTrap img_find_trap(const Image *m, uint32_t offset);
uint32_t img_find_loc(const Image *m, uint32_t offset);
/* The function's name with what could steer a terminal escaped, or func[N]. */
void img_print_func_name(const Image *m, uint32_t func, StrBuf *out);
#endif

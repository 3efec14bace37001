/* cot/object.h — compiles CLIF functions (cot/clif.h) into object files and shared libraries.
 *
 *     declare symbols ─► define functions and data ─► write a file
 *
 * A symbol is a name with a dense number, as in cot/jit.h; it may be referred to before it is defined. One that is never defined
 * is for the linker or loader to find. What is defined comes out in the order of its definition, and the same calls give the
 * same bytes.
 *
 * A CotObject is used by one thread at a time; any number of them by as many threads. */
#ifndef COT_OBJECT_H
#define COT_OBJECT_H
#include "cot/clif.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct CotObject CotObject;

/* Code for `target`, such as "x86_64-linux"; NULL: this machine. Allocator, verification and settings come from config (NULL: all
 * defaults), but code is position-independent unless is_pic was set to false, and for any processor of the target unless
 * cot_config_set_cpu_features was called. COT_UNSUPPORTED: no such target. */
COT_API CotObject *cot_object_new(const CotConfig *config, const char *target, CotError *error);
COT_API void cot_object_free(CotObject *object);
/* One more setting, processor feature or preset of the target ("has_avx2", "skylake"), for functions that follow. */
COT_API CotStatus cot_object_set(CotObject *object, const char *name, const char *value,
                                 CotError *error);

/* ---- symbols ---- */
/* The number of the symbol of that name, new or not. NULL: a new one that is seen nowhere else. COT_NONE: out of memory. */
COT_API uint32_t cot_object_declare(CotObject *object, const char *name);
/* Valid as long as object; "" for one declared without a name. NULL: no such symbol. */
COT_API const char *cot_object_name(const CotObject *object, uint32_t symbol);
enum {
    COT_SYMBOL_EXPORT =
        0, /* everybody sees it; the definition here is the one that is meant here. Not defined: an import */
    COT_SYMBOL_WEAK =
        1, /* another definition may take its place. Not defined: its address may stay 0 */
    COT_SYMBOL_HIDDEN = 2, /* only what is linked into the same program or library sees it */
    COT_SYMBOL_LOCAL = 3   /* nobody else; it must be defined here */
};
/* Default: COT_SYMBOL_EXPORT. */
COT_API CotStatus cot_object_bind(CotObject *object, uint32_t symbol, uint32_t binding,
                                  CotError *error);
enum {
    COT_SYMBOL_RETAIN = 1, /* linkers keep it even if nothing refers to it */
    COT_SYMBOL_COMDAT = 2  /* of several files that define it, the linker takes it from one */
};
/* How the definition is kept: flags added up; section: the name of a section of the file, NULL the usual one. */
COT_API CotStatus cot_object_keep(CotObject *object, uint32_t symbol, uint32_t flags,
                                  const char *section, CotError *error);

/* ---- definitions ---- */
/* Compiles f, which must have been ended without error. Its imports are numbers of this CotObject's symbols; names of a function
 * that was read as text (%name) are names of symbols, declared if new. f may be used for the next one afterwards. */
COT_API CotStatus cot_object_define(CotObject *object, uint32_t symbol, CotFunction *f,
                                    CotError *error);
COT_API CotStatus cot_object_define_data(CotObject *object, uint32_t symbol, const CotData *data,
                                         CotError *error);
/* symbol becomes another name for the place offset bytes behind base. size: of what is there, 0 unknown. */
COT_API CotStatus cot_object_define_label(CotObject *object, uint32_t symbol, uint32_t base,
                                          uint64_t offset, uint64_t size, CotError *error);
/* All functions of a .clif text, whose `set` lines hold for it: %f becomes the symbol "f", u1:2 the symbol "u1_2". On an error the
 * functions before it are defined; of COT_MALFORMED and COT_INVALID the message begins with LINE:COLUMN. */
COT_API CotStatus cot_object_define_text(CotObject *object, const char *text, size_t size,
                                         CotError *error);
/* Compiles a WebAssembly module and defines NAME_module, a CotLinkedModule (cot/wasm.h); name is one of C, and no two modules of a
 * program have the same. Memory and trap style, interruption, allocator, threads and verification are those of the configuration, as for
 * an engine. Functions of the module are local. As cot_module_new; COT_INVALID also: NAME_module is defined already. */
COT_API CotStatus cot_object_define_module(CotObject *object, const char *name, const void *bytes,
                                           size_t size, CotError *error);
/* *text: the C header for such a module, whose functions call what it exports; docs/aot.md tells what is in it. Valid until
 * the next call for a module, or cot_object_free. Nothing is defined. */
COT_API CotStatus cot_object_module_header(CotObject *object, const char *name, const void *bytes,
                                           size_t size, const char **text, CotError *error);
/* Takes a definition back. */
COT_API CotStatus cot_object_undefine(CotObject *object, uint32_t symbol, CotError *error);

/* ---- files ---- */
enum {
    COT_FILE_OBJECT = 0, /* for a linker */
    COT_FILE_SHARED = 1  /* a shared library, ready to be loaded */
};
typedef struct CotFile {
    uint32_t kind;              /* COT_FILE_* */
    uint32_t function_sections; /* not 0: a section for each function */
    uint32_t data_sections;     /* not 0: one for each data object */
    const char *source;         /* name of the source file; NULL: none is told */
    uint32_t
        debug; /* not 0: debug information; locations (cot_function_location) are lines of source */
    /* of a shared library: */
    const char *soname;        /* what those who need it call it; NULL: nothing but its file name */
    const char *const *needed; /* libraries that are loaded with it */
    uint32_t nneeded;
} CotFile;
/* *bytes, *size: the file in memory, valid until the next call or cot_object_free. More may be defined afterwards. COT_LINK: a
 * local symbol is not defined; a reference is not possible in such a file. */
COT_API CotStatus cot_object_write(CotObject *object, const CotFile *file, const void **bytes,
                                   size_t *size, CotError *error);
/* The same to a file. COT_IO: what the system says. */
COT_API CotStatus cot_object_write_file(CotObject *object, const CotFile *file, const char *path,
                                        CotError *error);

#ifdef __cplusplus
}
#endif
#endif

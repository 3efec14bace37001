/* cot/wasi.h — WASI preview 1: arguments, environment, files, clocks and random numbers for programs. Read the rules at the
 * top of cot/cot.h first. A program sees nothing of the host but what its configuration gives. */
#ifndef COT_WASI_H
#define COT_WASI_H
#include "cot/wasm.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct CotWasiConfig CotWasiConfig;
typedef struct CotWasi CotWasi;

/* No arguments, no environment, no directories; standard streams are those of this process. NULL = out of memory. */
COT_API CotWasiConfig *cot_wasi_config_new(void);
COT_API void cot_wasi_config_free(CotWasiConfig *config);
/* Appends. Text is copied. COT_NO_MEMORY only, except that a name must not be empty or contain '='. The first argument is the
 * program's name. */
COT_API CotStatus cot_wasi_config_arg(CotWasiConfig *config, const char *arg);
COT_API CotStatus cot_wasi_config_env(CotWasiConfig *config, const char *name, const char *value);
/* The directory `host` is opened by cot_wasi_new; the program finds it under the name `guest` and cannot leave it. */
COT_API CotStatus cot_wasi_config_dir(CotWasiConfig *config, const char *host, const char *guest,
                                      bool read_only);
/* Standard input: these bytes, then the end. Borrowed until the CotWasi is freed. */
COT_API void cot_wasi_config_stdin(CotWasiConfig *config, const void *bytes, size_t size);
/* Standard output (fd 1) or error (fd 2; other numbers: COT_MISUSE): each write is handed to `sink`; false from it is an
 * I/O error to the program. */
typedef bool (*CotSinkFn)(void *user, const uint8_t *bytes, size_t size);
COT_API CotStatus cot_wasi_config_output(CotWasiConfig *config, int fd, CotSinkFn sink, void *user);

/* One program's view of the system; config is copied but for what it borrows. Memory comes from the engine's allocator.
 * COT_IO: a directory cannot be opened. */
COT_API CotWasi *cot_wasi_new(CotEngine *engine, const CotWasiConfig *config, CotError *error);
/* After the stores that use it. Closes what the program left open. */
COT_API void cot_wasi_free(CotWasi *wasi);
/* From now on, imports of WASI functions that are not defined otherwise are those of `wasi`. A program is started by calling
 * its export "_start" once; COT_EXIT tells that it ended by itself, with cot_store_exit_code. */
COT_API void cot_linker_define_wasi(CotLinker *linker, CotWasi *wasi);

#ifdef __cplusplus
}
#endif
#endif

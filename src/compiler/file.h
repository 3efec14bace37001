/* compiler/file.h — files that are there whole or not at all. */
#ifndef COT_COMPILER_FILE_H
#define COT_COMPILER_FILE_H
#include <stdbool.h>
#include <stddef.h>
#include "base/diag.h"

/* Writes a new file beside `path` and moves it there: whoever has the old one open or mapped keeps it, and nobody sees half of the
 * new one. `executable`: it may be run, as far as the umask allows. What exists and is no regular file is written to.
 * False: DIAG_IO. */
bool file_replace(const char *path, const void *bytes, size_t size, bool executable, Diag *d);
#endif

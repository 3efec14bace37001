/* compiler/pages.h — large blocks of memory straight from the system. */
#ifndef COT_BASE_PAGES_H
#define COT_BASE_PAGES_H
#include "base/mem.h"

/* For a Mem of a process that may use memory as it likes: small blocks are the C library's, large ones (a megabyte or more) are pages
 * of their own, huge pages where the system has them. Threads may share it. */
extern const MemHooks pages_hooks;
#endif

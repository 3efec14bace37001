/* compiler/cache.h — what was compiled before, in a folder.
 *
 * Problem     Compiling the same module again costs the same again.
 * Idea        An image is stored under the hash (BLAKE2b) of everything it depends on: the module's bytes, the settings, the processor
 *             features, the version of the image format, and the sources of this compiler. It is a file like those of
 *             `cot compile --emit cwasm`: mapped, and verified by its sums. Any other output, such as an object, is stored under the
 *             hash of what it depends on besides: its finished bytes, then their sum. What does not verify is compiled and stored anew.
 * Invariants  1. Files come into the folder whole, by renaming: any number of processes may use it at once, and a crash leaves
 *                at most a temporary file, which a later store removes.
 *             2. The folder belongs to the user and nobody else may write to it, since what it has is executed.
 *             3. The files have at most `most` bytes together after each store: those not used for the longest time go first.
 * Cost        a hit: the hash of the module, one open, one map, the sums. A store: one look at each file of the folder. */
#ifndef COT_COMPILER_CACHE_H
#define COT_COMPILER_CACHE_H
#include "base/blake2b.h"
#include "base/vec.h"
#include "runtime/runtime.h"

typedef enum CacheKind { CACHE_IMAGE, CACHE_OUTPUT } CacheKind;
enum { CACHE_NAME = 2 * BLAKE2B_BYTES + sizeof ".cwasm" };
#define CACHE_DEFAULT_MOST ((uint64_t)1 << 30)

typedef struct Cache {
    char dir[4096];
    uint64_t most;
} Cache;

/* Makes the folder if there is none. DIAG_IO: it cannot be used, or others may write to it. */
bool cache_open(Cache *c, const char *dir, uint64_t most, Diag *d);
/* What it is stored as, by the hash of all it depends on, which is ended. */
void cache_name(Blake2b *all, CacheKind kind, char name[CACHE_NAME]);
/* The stored image, mapped but not verified; false: there is none. */
bool cache_find(const Cache *c, const char *name, RtBlob *out);
/* Stores what can be stored; there is nothing to be said if it cannot. */
void cache_store(const Cache *c, const char *name, const void *image, size_t size);
/* The same for outputs. Found: verified, and appended to *out. */
bool cache_find_output(const Cache *c, const char *name, Mem *m, VecU8 *out);
void cache_store_output(const Cache *c, const char *name, Mem *m, VecU8 *bytes);
#endif

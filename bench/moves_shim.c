/* bench/moves_shim.c — lets bench/moves count the instructions of compiled code alone, and read it.
 *
 * Under `valgrind --tool=callgrind --instr-atstart=no`. With LD_PRELOAD (MOVES_CODE names a file): what becomes executable is
 * appended to the file, as address, length, bytes, and counting starts. Loaded by another program: moves_start, moves_code. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <valgrind/callgrind.h>

void moves_start(void) {
    CALLGRIND_START_INSTRUMENTATION;
}

void moves_stop(void) {
    CALLGRIND_STOP_INSTRUMENTATION;
}

static void append(FILE *f, uint64_t at, uint64_t n) {
    fwrite(&at, 8, 1, f);
    fwrite(&n, 8, 1, f);
    fwrite((const void *)(uintptr_t)at, 1, n, f);
}

/* All memory that is executable and not writable, and belongs to no file of the file system. */
int moves_code(const char *path) {
    char line[512], perms[8], name[256];
    unsigned long from, to, offset, inode;
    FILE *maps = fopen("/proc/self/maps", "r"), *out = fopen(path, "wb");
    if (!maps || !out) return -1;
    while (fgets(line, sizeof line, maps)) {
        name[0] = 0;
        if (sscanf(line, "%lx-%lx %7s %lx %*s %lu %255s", &from, &to, perms, &offset, &inode,
                   name) < 5)
            continue;
        if (perms[0] == 'r' && perms[1] == '-' && perms[2] == 'x' && (!inode || name[0] != '/') &&
            name[0] != '[')
            append(out, from, to - from);
    }
    fclose(maps);
    return fclose(out);
}

int mprotect(void *p, size_t n, int prot) {
    int (*next)(void *, size_t, int) = (int (*)(void *, size_t, int))dlsym(RTLD_NEXT, "mprotect");
    int r = next(p, n, prot);
    const char *path = getenv("MOVES_CODE");
    if (r == 0 && path && prot & PROT_EXEC) {
        FILE *f = fopen(path, "ab");
        if (f) {
            append(f, (uintptr_t)p, n);
            fclose(f);
        }
        moves_start();
    }
    return r;
}

/* tests/wasi/check.h — for the programs of this folder: a check that says where it failed and ends with code 1. */
#ifndef CHECK_H
#define CHECK_H
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wasi/api.h>

#define CHECK(c)                                                                         \
    do {                                                                                 \
        if (!(c)) {                                                                      \
            fprintf(stderr, "%s:%d: %s (errno %d: %s)\n", __FILE__, __LINE__, #c, errno, \
                    strerror(errno));                                                    \
            exit(1);                                                                     \
        }                                                                                \
    } while (0)

/* `call` gives a WASI error number; WANT is the last part of its name: NOENT, SUCCESS. */
#define CHECK_ERR(want, call)                                                                  \
    do {                                                                                       \
        int got_ = (call);                                                                     \
        if (got_ != __WASI_ERRNO_##want) {                                                     \
            fprintf(stderr, "%s:%d: %s is %d, not %s (%d)\n", __FILE__, __LINE__, #call, got_, \
                    #want, __WASI_ERRNO_##want);                                               \
            exit(1);                                                                           \
        }                                                                                      \
    } while (0)
#endif

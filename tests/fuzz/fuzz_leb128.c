/* Fuzz target: the LEB128 readers against the spec's recursive definition, at every start in the input. */
#include "../unit/base/leb128_model.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    for (size_t i = 0; i <= size; i++) {
        const char *diff = leb_compare(data + i, data + size);
        if (diff) {
            fprintf(stderr, "at %zu: %s\n", i, diff);
            abort();
        }
    }
    return 0;
}

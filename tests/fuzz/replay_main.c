/* tests/fuzz/replay_main.c — stands in for libFuzzer: runs a fuzz target on the files named, or on random
 * inputs: -runs=N -seed=S -max_len=L. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t next_random(uint64_t *s) { /* xorshift64* */
    *s ^= *s >> 12;
    *s ^= *s << 25;
    *s ^= *s >> 27;
    return *s * 0x2545F4914F6CDD1Du;
}

static int run_file(const char *name) {
    FILE *f = fopen(name, "rb");
    if (!f) {
        perror(name);
        return 1;
    }
    fseek(f, 0, SEEK_END);
    long n = ftell(f);
    rewind(f);
    uint8_t *buf = malloc((size_t)n + 1);
    size_t got = fread(buf, 1, (size_t)n, f);
    fclose(f);
    LLVMFuzzerTestOneInput(buf, got);
    free(buf);
    return 0;
}

int main(int argc, char **argv) {
    uint64_t runs = 0, seed = 1, max_len = 256;
    int status = 0;
    for (int i = 1; i < argc; i++) {
        if (!strncmp(argv[i], "-runs=", 6))
            runs = strtoull(argv[i] + 6, NULL, 10);
        else if (!strncmp(argv[i], "-seed=", 6))
            seed = strtoull(argv[i] + 6, NULL, 10);
        else if (!strncmp(argv[i], "-max_len=", 9))
            max_len = strtoull(argv[i] + 9, NULL, 10);
        else
            status |= run_file(argv[i]);
    }
    uint64_t s = seed * 0x9E3779B97F4A7C15u | 1;
    for (uint64_t r = 0; r < runs; r++) {
        size_t n = (size_t)(next_random(&s) % (max_len + 1));
        uint8_t *buf = malloc(n + 1); /* exact size: overruns are visible to the sanitizer */
        for (size_t i = 0; i < n; i++) buf[i] = (uint8_t)(next_random(&s) >> 56);
        LLVMFuzzerTestOneInput(buf, n);
        free(buf);
    }
    return status;
}

/* Random numbers: whole buffers of any size, all different. */
#include "check.h"
#include <unistd.h>

static unsigned char big[40 << 20];

int main(void) {
    uint64_t seen[64];
    for (int i = 0; i < 64; i++) {
        CHECK_ERR(SUCCESS, __wasi_random_get((uint8_t *)&seen[i], sizeof seen[i]));
        for (int k = 0; k < i; k++) CHECK(seen[k] != seen[i]);
    }
    CHECK_ERR(SUCCESS, __wasi_random_get(big, 0));
    CHECK(big[0] == 0);
    CHECK_ERR(SUCCESS, __wasi_random_get(big + 1, sizeof big - 2));
    CHECK(big[0] == 0 && big[sizeof big - 1] == 0);
    unsigned counts[256] = {0}, longest = 0, run = 0;
    for (size_t i = 1; i < sizeof big - 1; i++) {
        counts[big[i]]++;
        run = big[i] ? 0 : run + 1;
        if (run > longest) longest = run;
    }
    CHECK(longest < 12); /* 12 zeros in a row: one chance in 10^21 */
    for (int i = 0; i < 256; i++) {
        CHECK(counts[i] > (sizeof big >> 8) * 9 / 10);
        CHECK(counts[i] < (sizeof big >> 8) * 11 / 10);
    }
    unsigned char a[256], b[256];
    CHECK(getentropy(a, sizeof a) == 0);
    CHECK(getentropy(b, sizeof b) == 0);
    CHECK(memcmp(a, b, sizeof a));
    return 0;
}

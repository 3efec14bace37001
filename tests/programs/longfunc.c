/* Long functions with many live locals, made by macros: register pressure, big frames, deep expressions, many blocks. */
#include "prog.h"

#define L8(X, n) X(n##0) X(n##1) X(n##2) X(n##3) X(n##4) X(n##5) X(n##6) X(n##7)
#define L64(X, n) L8(X, n##0) L8(X, n##1) L8(X, n##2) L8(X, n##3) L8(X, n##4) L8(X, n##5) L8(X, n##6) L8(X, n##7)
#define DECL(n) uint32_t v##n = seed * (0x##n * 2u + 1u);
#define DECL64(n) uint64_t w##n = (uint64_t)seed << (0x##n & 31) ^ 0x##n;
#define DECLF(n) double f##n = (double)(seed >> 8) / (1.0 + 0x##n);
#define STEP(n) v##n = (v##n << 5 | v##n >> 27) + (prev ^ 0x##n); prev += v##n;
#define STEP64(n) w##n = w##n * 6364136223846793005ull + prev64; prev64 ^= w##n >> 29;
#define STEPF(n) f##n = f##n * 0.75 + prevf; prevf = f##n > 1000 ? f##n * 0.001 : f##n * 0.5;
#define SUM(n) total ^= v##n; total = total << 1 | total >> 63;
#define SUM64(n) total += w##n;
#define SUMF(n) mix_f64(f##n);

static uint64_t many_i32(uint32_t seed) {
    L64(DECL, 1)
    uint32_t prev = seed;
    uint64_t total = 0;
    for (int i = 0; i < 50; i++) { L64(STEP, 1) }
    L64(SUM, 1)
    return total;
}
static uint64_t many_i64(uint32_t seed) {
    L64(DECL64, 1)
    uint64_t prev64 = seed, total = 0;
    for (int i = 0; i < 50; i++) { L64(STEP64, 1) }
    L64(SUM64, 1)
    return total;
}
static void many_f64(uint32_t seed) {
    L64(DECLF, 1)
    double prevf = 0.5;
    for (int i = 0; i < 50; i++) { L64(STEPF, 1) }
    L64(SUMF, 1)
}
static uint64_t all_kinds(uint32_t seed, int n) {
    L64(DECL, 1) L64(DECL64, 1) L8(DECLF, 1)
    uint32_t prev = seed;
    uint64_t prev64 = seed, total = 0;
    double prevf = 1;
    for (int i = 0; i < n; i++) {
        L64(STEP, 1)
        if (v100 & 1) { L64(STEP64, 1) } else { L8(STEPF, 1) }
        if (i % 7 == 2) prev64 += many_i32(prev) + (uint64_t)(int64_t)f11;
    }
    L64(SUM, 1) L64(SUM64, 1) L8(SUMF, 1)
    return total;
}
#define BRANCH(n) if (x & (1u << (0x##n & 31))) { y += x ^ 0x##n; if (y & 0x##n) x = x * 3 + 1; else y ^= x >> 3; } else x += 0x##n;
static uint64_t many_blocks(uint32_t x) {
    uint32_t y = 1;
    L64(BRANCH, 1) L64(BRANCH, 2) L64(BRANCH, 3) L64(BRANCH, 4) L64(BRANCH, 5) L64(BRANCH, 6) L64(BRANCH, 7) L64(BRANCH, 8)
    return (uint64_t)x << 32 | y;
}
#define TERM(n) + (a * 0x##n##u ^ (b >> (0x##n & 15)
#define CLOSE(n) ))
static uint32_t deep_expression(uint32_t a, uint32_t b) { return 1u L64(TERM, 1) + 7 L64(CLOSE, 1); }
int main(void) {
    for (uint32_t i = 1; i < 40; i++) {
        mix(many_i32(i)), mix(many_i64(i * 7919)), many_f64(i * 31337), mix(all_kinds(i * 65537, 20));
        mix(deep_expression(i * 3, i * 0x01010101u));
    }
    for (uint32_t i = 0; i < 3000; i++) mix(many_blocks(i * 2654435761u));
    show("longfunc");
    return 0;
}

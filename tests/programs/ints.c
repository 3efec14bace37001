/* Integer arithmetic of every width: all pairs of edge values through all operators, signed and unsigned. */
#include "prog.h"

static const uint64_t edge[] = {0, 1, 2, 3, 5, 7, 8, 10, 15, 16, 31, 32, 33, 63, 64, 100, 127, 128, 129, 255, 256, 1000, 32767,
    32768, 32769, 65535, 65536, 1000000007, 0x7ffffffe, 0x7fffffff, 0x80000000, 0x80000001, 0xfffffffe, 0xffffffff,
    0x100000000, 0x123456789abcdef0, 0x7ffffffffffffffe, 0x7fffffffffffffff, 0x8000000000000000, 0x8000000000000001,
    0xaaaaaaaaaaaaaaaa, 0x5555555555555555, 0xfffffffffffffff0, 0xfffffffffffffffe, 0xffffffffffffffff};

#define BINARY(T, U, BITS)                                                                                             \
    static void run_##T(void) {                                                                                        \
        for (int i = 0; i < COUNT(edge); i++)                                                                          \
            for (int j = 0; j < COUNT(edge); j++) {                                                                    \
                T a = (T)edge[i], b = (T)edge[j];                                                                      \
                mix((uint64_t)(T)(a + b));                                                                             \
                mix((uint64_t)(T)(a - b));                                                                             \
                mix((uint64_t)(T)((U)a * (uint64_t)(U)b));                                                             \
                mix((uint64_t)(T)(a & b));                                                                             \
                mix((uint64_t)(T)(a | b));                                                                             \
                mix((uint64_t)(T)(a ^ b));                                                                             \
                mix((uint64_t)(T)((U)a << (b & (BITS - 1))));                                                          \
                mix((uint64_t)(T)(a >> (b & (BITS - 1))));                                                             \
                mix((uint64_t)(T)~a);                                                                                  \
                mix((uint64_t)(T)(0 - (U)a));                                                                          \
                mix((a < b) | (a <= b) << 1 | (a > b) << 2 | (a >= b) << 3 | (a == b) << 4 | (a != b) << 5);           \
                if (b != 0 && !((T)-1 < 0 && b == (T)-1)) {                                                            \
                    mix((uint64_t)(T)(a / b));                                                                         \
                    mix((uint64_t)(T)(a % b));                                                                         \
                }                                                                                                      \
                mix((uint64_t)(int8_t)a + (uint64_t)(int16_t)b + (uint64_t)(int32_t)a + (uint64_t)(uint8_t)b);         \
            }                                                                                                          \
        show(#T);                                                                                                      \
    }
BINARY(int8_t, uint8_t, 8)
BINARY(uint8_t, uint8_t, 8)
BINARY(int16_t, uint16_t, 16)
BINARY(uint16_t, uint16_t, 16)
BINARY(int32_t, uint32_t, 32)
BINARY(uint32_t, uint32_t, 32)
BINARY(int64_t, uint64_t, 64)
BINARY(uint64_t, uint64_t, 64)

/* Division by constants: compilers turn these into multiplications and shifts. */
#define BYCONST(C)                                                                                                     \
    static void by_##C(uint64_t x) {                                                                                   \
        mix((uint64_t)((int32_t)x / C) ^ (uint64_t)((int32_t)x % C) << 7);                                             \
        mix((uint32_t)x / C##u ^ (uint64_t)((uint32_t)x % C##u) << 9);                                                 \
        mix((uint64_t)((int64_t)x / C) ^ (uint64_t)((int64_t)x % C) << 11);                                            \
        mix(x / C##u ^ (x % C##u) << 13);                                                                              \
    }
BYCONST(1) BYCONST(2) BYCONST(3) BYCONST(5) BYCONST(6) BYCONST(7) BYCONST(9) BYCONST(10) BYCONST(11) BYCONST(12)
BYCONST(13) BYCONST(25) BYCONST(60) BYCONST(64) BYCONST(100) BYCONST(125) BYCONST(625) BYCONST(641) BYCONST(1000)
BYCONST(3600) BYCONST(4096) BYCONST(65537) BYCONST(86400) BYCONST(1000000007) BYCONST(2147483647)

static void constants(uint64_t x) {
    by_1(x), by_2(x), by_3(x), by_5(x), by_6(x), by_7(x), by_9(x), by_10(x), by_11(x), by_12(x), by_13(x), by_25(x);
    by_60(x), by_64(x), by_100(x), by_125(x), by_625(x), by_641(x), by_1000(x), by_3600(x), by_4096(x), by_65537(x);
    by_86400(x), by_1000000007(x), by_2147483647(x);
}

/* 128-bit arithmetic, which Wasm spells in 64-bit pieces and library calls. */
typedef unsigned __int128 u128;
typedef __int128 i128;
static void mix128(u128 v) {
    mix((uint64_t)v);
    mix((uint64_t)(v >> 64));
}
static void wide(void) {
    u128 v[40];
    int n = 0;
    for (int i = 0; i < 36; i++) {
        u128 a = edge[(i * 7) % COUNT(edge)];
        v[n++] = a << (i * 3 % 100) | rnd();
    }
    v[n++] = 0;
    v[n++] = 1;
    v[n++] = ~(u128)0;
    v[n++] = (u128)1 << 127;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) {
            u128 a = v[i], b = v[j];
            i128 s = (i128)a, t = (i128)b;
            mix128(a + b), mix128(a - b), mix128(a * b), mix128(a & b), mix128(a ^ b);
            mix128(a << (unsigned)(b & 127)), mix128(a >> (unsigned)(b & 127)), mix128((u128)(s >> (unsigned)(b & 127)));
            mix((a < b) | (s < t) << 1 | (a == b) << 2 | (s >= t) << 3);
            if (b != 0) {
                mix128(a / b), mix128(a % b);
                if (t != -1)
                    mix128((u128)(s / t)), mix128((u128)(s % t));
            }
        }
    show("int128");
}

static void bits(void) {
    for (int i = 0; i < 4000; i++) {
        uint64_t x = i < COUNT(edge) ? edge[i] : rnd() >> (i & 63);
        uint32_t y = (uint32_t)x;
        if (x)
            mix((uint64_t)__builtin_clzll(x) << 8 | (uint64_t)__builtin_ctzll(x));
        if (y)
            mix((uint64_t)__builtin_clz(y) << 8 | (uint64_t)__builtin_ctz(y));
        mix((uint64_t)__builtin_popcountll(x) << 8 | (uint64_t)__builtin_popcount(y));
        mix(__builtin_bswap64(x) ^ __builtin_bswap32(y) ^ __builtin_bswap16((uint16_t)y));
        unsigned r = i & 63, q = i & 31;
        mix((x << r) | (x >> (-r & 63)));
        mix((x >> r) | (x << (-r & 63)));
        mix((y << q) | (y >> (-q & 31)));
        int32_t o;
        int64_t p;
        uint32_t ou;
        mix((uint64_t)__builtin_add_overflow((int32_t)y, (int32_t)(x >> 32), &o) ^ (uint64_t)o);
        mix((uint64_t)__builtin_mul_overflow((int32_t)y, (int32_t)(x >> 40), &o) ^ (uint64_t)o);
        mix((uint64_t)__builtin_sub_overflow(y, (uint32_t)(x >> 31), &ou) ^ ou);
        mix((uint64_t)__builtin_add_overflow((int64_t)x, (int64_t)rnd(), &p) ^ (uint64_t)p);
        mix((uint64_t)__builtin_mul_overflow((int64_t)x, (int64_t)i, &p) ^ (uint64_t)p);
    }
    show("bits");
}

int main(void) {
    run_int8_t(), run_uint8_t(), run_int16_t(), run_uint16_t();
    run_int32_t(), run_uint32_t(), run_int64_t(), run_uint64_t();
    for (int i = 0; i < COUNT(edge); i++)
        constants(edge[i]);
    for (int i = 0; i < 3000; i++)
        constants(rnd() >> (i & 63));
    show("constants");
    wide();
    bits();
    return (int)(prog_sum & 63);
}

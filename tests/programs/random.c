/* Generators: LCG, Mersenne twister, PCG, xoshiro, xorwow, SplitMix, Park-Miller, MWC, lagged Fibonacci, LFSR, and tests on them. */
#include "prog.h"

static uint32_t mt[624];
static int mti = 624;
static void mt_seed(uint32_t s) { for (int i = 0; i < 624; i++) mt[i] = i ? 1812433253u * (mt[i - 1] ^ mt[i - 1] >> 30) + (uint32_t)i : s; mti = 624; }
static uint32_t mt_next(void) {
    if (mti == 624) {
        for (int i = 0; i < 624; i++) {
            uint32_t y = (mt[i] & 0x80000000u) | (mt[(i + 1) % 624] & 0x7fffffffu);
            mt[i] = mt[(i + 397) % 624] ^ y >> 1 ^ (y & 1 ? 0x9908b0dfu : 0);
        }
        mti = 0;
    }
    uint32_t y = mt[mti++];
    y ^= y >> 11, y ^= y << 7 & 0x9d2c5680u, y ^= y << 15 & 0xefc60000u;
    return y ^ y >> 18;
}
static uint64_t pcg_state = 42, mwc = 0x123456789abcdefull, split = 7, xs[4] = {1, 2, 3, 4}, lag[55];
static uint32_t lcg = 1, xw[5] = {1, 2, 3, 4, 5}, counter, lfsr = 0xace1u, minstd = 1;
static int lagi;
static uint32_t g_lcg(void) { return (lcg = lcg * 1664525u + 1013904223u) >> 0; }
static uint32_t g_pcg(void) { uint64_t o = pcg_state; pcg_state = o * 6364136223846793005ull + 1442695040888963407ull; uint32_t x = (uint32_t)((o >> 18 ^ o) >> 27), r = (uint32_t)(o >> 59); return x >> r | x << (-r & 31); }
static uint32_t g_xoshiro(void) {
    uint64_t r = xs[1] * 5, t = xs[1] << 17;
    r = (r << 7 | r >> 57) * 9;
    xs[2] ^= xs[0], xs[3] ^= xs[1], xs[1] ^= xs[2], xs[0] ^= xs[3], xs[2] ^= t, xs[3] = xs[3] << 45 | xs[3] >> 19;
    return (uint32_t)(r >> 32);
}
static uint32_t g_xorwow(void) { uint32_t t = xw[4], s = xw[0]; xw[4] = xw[3], xw[3] = xw[2], xw[2] = xw[1], xw[1] = s; t ^= t >> 2, t ^= t << 1, t ^= s ^ s << 4; xw[0] = t; return t + (counter += 362437); }
static uint32_t g_split(void) { uint64_t z = split += 0x9e3779b97f4a7c15ull; z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull; z = (z ^ z >> 27) * 0x94d049bb133111ebull; return (uint32_t)(z ^ z >> 31); }
static uint32_t g_minstd(void) { minstd = (uint32_t)((uint64_t)minstd * 48271 % 0x7fffffff); return minstd << 1 ^ minstd >> 15; }
static uint32_t g_mwc(void) { mwc = (mwc & 0xffffffffu) * 4294957665ull + (mwc >> 32); return (uint32_t)mwc; }
static uint32_t g_lag(void) { uint64_t v = lag[lagi] += lag[(lagi + 31) % 55]; lagi = (lagi + 1) % 55; return (uint32_t)(v >> 20); }
static uint32_t g_lfsr(void) { uint32_t r = 0; for (int i = 0; i < 32; i++) { uint32_t b = (lfsr ^ lfsr >> 10 ^ lfsr >> 30 ^ lfsr >> 31) & 1; lfsr = lfsr << 1 | b; r = r << 1 | b; } return r; }
int main(void) {
    static uint32_t (*const all[])(void) = {g_lcg, mt_next, g_pcg, g_xoshiro, g_xorwow, g_split, g_minstd, g_mwc, g_lag, g_lfsr};
    static const char *const names[] = {"lcg", "mt", "pcg", "xoshiro", "xorwow", "split", "minstd", "mwc", "lagged", "lfsr"};
    mt_seed(5489);
    for (int i = 0; i < 55; i++) lag[i] = rnd();
    for (int g = 0; g < COUNT(all); g++) {
        int bits = 0, bucket[16] = {0}, runs = 0, inside = 0, last = 0;
        uint32_t first = 0;
        for (int i = 0; i < 20000; i++) {
            uint32_t v = all[g]();
            if (!i) first = v;
            bits += __builtin_popcount(v), bucket[v >> 28]++, runs += (int)(v >> 31) != last, last = (int)(v >> 31);
            double x = (v & 0xffff) / 65536.0, y = (v >> 16) / 65536.0;
            inside += x * x + y * y < 1;
            mix(v);
        }
        double chi = 0;
        for (int i = 0; i < 16; i++) chi += (bucket[i] - 1250.0) * (bucket[i] - 1250.0) / 1250;
        printf("%-8s first %08x bits %d runs %d chi %.4f pi %.4f\n", names[g], first, bits, runs, chi, inside / 5000.0);
    }
    int deck[52];
    for (int i = 0; i < 52; i++) deck[i] = i;
    for (int i = 51; i > 0; i--) { int j = (int)(((uint64_t)mt_next() * (uint64_t)(i + 1)) >> 32), t = deck[i]; deck[i] = deck[j], deck[j] = t; }
    for (int i = 0; i < 52; i++) printf("%c%c ", "A23456789TJQK"[deck[i] % 13], "SHDC"[deck[i] / 13]);
    printf("\n");
    show("random");
    return 0;
}

/* MD5, SHA-1, SHA-256, SHA-512, CRC-32, Adler-32, FNV, MurmurHash3, SipHash, xxHash32 on known and generated inputs. */
#include "prog.h"

#define ROL32(x, n) (((uint32_t)(x) << (n)) | ((uint32_t)(x) >> (32 - (n))))
#define ROR32(x, n) ROL32(x, 32 - (n))
#define ROR64(x, n) (((uint64_t)(x) >> (n)) | ((uint64_t)(x) << (64 - (n))))
#define ROL64(x, n) ROR64(x, 64 - (n))

static uint8_t block[1 << 16];
static size_t pad(const uint8_t *data, size_t n, int unit, int big) {
    size_t total = n + 1;
    int length = unit == 128 ? 16 : 8;
    while (total % (size_t)unit != (size_t)(unit - length))
        total++;
    memset(block, 0, total + (size_t)length);
    memcpy(block, data, n);
    block[n] = 0x80;
    uint64_t bits = (uint64_t)n * 8;
    for (int i = 0; i < 8; i++)
        block[big ? total + (size_t)length - 1 - (size_t)i : total + (size_t)i] = (uint8_t)(bits >> (8 * i));
    return total + (size_t)length;
}
static uint32_t le32(const uint8_t *p) { return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24; }
static uint32_t be32(const uint8_t *p) { return __builtin_bswap32(le32(p)); }
static uint64_t be64(const uint8_t *p) { return (uint64_t)be32(p) << 32 | be32(p + 4); }
static uint64_t le64(const uint8_t *p) { return le32(p) | (uint64_t)le32(p + 4) << 32; }
static void hex(const char *name, const uint8_t *p, int n) {
    printf("%s ", name);
    for (int i = 0; i < n; i++)
        printf("%02x", p[i]), mix_byte(p[i]);
    printf("\n");
}

static uint32_t md5_k[64];
static double sine(double x) { /* enough terms for 32 bits of |sin|, after reducing by 2 pi */
    const double tau = 6.283185307179586476925286766559;
    x -= tau * (double)(int)(x / tau);
    if (x > tau / 2) x -= tau;
    double t = x, s = x;
    for (int i = 1; i < 20; i++)
        t *= -x * x / ((2 * i) * (2 * i + 1)), s += t;
    return s < 0 ? -s : s;
}
static void md5(const uint8_t *data, size_t n, uint8_t *out) {
    static const int r[16] = {7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21};
    uint32_t h[4] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
    size_t total = pad(data, n, 64, 0);
    for (size_t o = 0; o < total; o += 64) {
        uint32_t a = h[0], b = h[1], c = h[2], d = h[3];
        for (int i = 0; i < 64; i++) {
            uint32_t f;
            int g;
            switch (i / 16) {
            case 0: f = (b & c) | (~b & d), g = i; break;
            case 1: f = (d & b) | (~d & c), g = (5 * i + 1) & 15; break;
            case 2: f = b ^ c ^ d, g = (3 * i + 5) & 15; break;
            default: f = c ^ (b | ~d), g = (7 * i) & 15;
            }
            f += a + md5_k[i] + le32(block + o + 4 * g);
            a = d, d = c, c = b;
            b += ROL32(f, r[i / 16 * 4 + i % 4]);
        }
        h[0] += a, h[1] += b, h[2] += c, h[3] += d;
    }
    for (int i = 0; i < 16; i++)
        out[i] = (uint8_t)(h[i / 4] >> (8 * (i % 4)));
}
static void sha1(const uint8_t *data, size_t n, uint8_t *out) {
    uint32_t h[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0}, w[80];
    size_t total = pad(data, n, 64, 1);
    for (size_t o = 0; o < total; o += 64) {
        for (int i = 0; i < 80; i++)
            w[i] = i < 16 ? be32(block + o + 4 * i) : ROL32(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
        uint32_t a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];
        for (int i = 0; i < 80; i++) {
            uint32_t f = i < 20 ? ((b & c) | (~b & d)) + 0x5a827999 : i < 40 ? (b ^ c ^ d) + 0x6ed9eba1
                       : i < 60 ? ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc : (b ^ c ^ d) + 0xca62c1d6;
            f += ROL32(a, 5) + e + w[i];
            e = d, d = c, c = ROL32(b, 30), b = a, a = f;
        }
        h[0] += a, h[1] += b, h[2] += c, h[3] += d, h[4] += e;
    }
    for (int i = 0; i < 20; i++)
        out[i] = (uint8_t)(h[i / 4] >> (24 - 8 * (i % 4)));
}

/* The constants of SHA-2 are the fractions of square and cube roots of primes: computed, not listed. */
static uint64_t sha_k[80], sha_h[8];
static uint64_t root_fraction(unsigned p, int power) { /* floor(frac(p^(1/power)) * 2^64) by bisection in 256 bits */
    typedef unsigned __int128 u128;
    unsigned whole = 1;
    while ((power == 2 ? (whole + 1) * (whole + 1) : (whole + 1) * (whole + 1) * (whole + 1)) <= p)
        whole++;
    uint64_t fraction = 0;
    for (int bit = 63; bit >= 0; bit--) {
        uint64_t x[2] = {fraction | 1ull << bit, whole}; /* little-endian fixed point, 64 fraction bits */
        uint64_t acc[7] = {1};
        int used = 1;
        for (int k = 0; k < power; k++) {
            uint64_t next[7] = {0};
            for (int i = 0; i < used; i++) {
                u128 carry = 0;
                for (int j = 0; j < 2; j++) {
                    carry += (u128)acc[i] * x[j] + next[i + j];
                    next[i + j] = (uint64_t)carry;
                    carry >>= 64;
                }
                next[i + 2] += (uint64_t)carry;
            }
            used += 2;
            memcpy(acc, next, sizeof acc);
        }
        if (acc[power] < p) /* x^power has 64*power fraction bits: its integer part starts at word `power` */
            fraction = x[0];
    }
    return fraction;
}
static void sha_tables(void) {
    int n = 0;
    for (unsigned p = 2; n < 80; p++) {
        int prime = 1;
        for (unsigned d = 2; d * d <= p; d++)
            if (p % d == 0) prime = 0;
        if (!prime) continue;
        if (n < 8) sha_h[n] = root_fraction(p, 2);
        sha_k[n++] = root_fraction(p, 3);
    }
}
static void sha256(const uint8_t *data, size_t n, uint8_t *out) {
    uint32_t h[8], w[64];
    for (int i = 0; i < 8; i++) h[i] = (uint32_t)(sha_h[i] >> 32);
    size_t total = pad(data, n, 64, 1);
    for (size_t o = 0; o < total; o += 64) {
        for (int i = 0; i < 64; i++)
            w[i] = i < 16 ? be32(block + o + 4 * i)
                 : w[i - 16] + w[i - 7] + (ROR32(w[i - 15], 7) ^ ROR32(w[i - 15], 18) ^ w[i - 15] >> 3)
                       + (ROR32(w[i - 2], 17) ^ ROR32(w[i - 2], 19) ^ w[i - 2] >> 10);
        uint32_t v[8];
        memcpy(v, h, sizeof v);
        for (int i = 0; i < 64; i++) {
            uint32_t t = v[7] + (ROR32(v[4], 6) ^ ROR32(v[4], 11) ^ ROR32(v[4], 25)) + ((v[4] & v[5]) ^ (~v[4] & v[6])) + (uint32_t)(sha_k[i] >> 32) + w[i];
            uint32_t u = (ROR32(v[0], 2) ^ ROR32(v[0], 13) ^ ROR32(v[0], 22)) + ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
            memmove(v + 1, v, 7 * sizeof *v);
            v[4] += t;
            v[0] = t + u;
        }
        for (int i = 0; i < 8; i++) h[i] += v[i];
    }
    for (int i = 0; i < 32; i++)
        out[i] = (uint8_t)(h[i / 4] >> (24 - 8 * (i % 4)));
}
static void sha512(const uint8_t *data, size_t n, uint8_t *out) {
    uint64_t h[8], w[80];
    memcpy(h, sha_h, sizeof h);
    size_t total = pad(data, n, 128, 1);
    for (size_t o = 0; o < total; o += 128) {
        for (int i = 0; i < 80; i++)
            w[i] = i < 16 ? be64(block + o + 8 * i)
                 : w[i - 16] + w[i - 7] + (ROR64(w[i - 15], 1) ^ ROR64(w[i - 15], 8) ^ w[i - 15] >> 7)
                       + (ROR64(w[i - 2], 19) ^ ROR64(w[i - 2], 61) ^ w[i - 2] >> 6);
        uint64_t v[8];
        memcpy(v, h, sizeof v);
        for (int i = 0; i < 80; i++) {
            uint64_t t = v[7] + (ROR64(v[4], 14) ^ ROR64(v[4], 18) ^ ROR64(v[4], 41)) + ((v[4] & v[5]) ^ (~v[4] & v[6])) + sha_k[i] + w[i];
            uint64_t u = (ROR64(v[0], 28) ^ ROR64(v[0], 34) ^ ROR64(v[0], 39)) + ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
            memmove(v + 1, v, 7 * sizeof *v);
            v[4] += t;
            v[0] = t + u;
        }
        for (int i = 0; i < 8; i++) h[i] += v[i];
    }
    for (int i = 0; i < 64; i++)
        out[i] = (uint8_t)(h[i / 8] >> (56 - 8 * (i % 8)));
}
static uint32_t crc_table[256];
static uint32_t crc32(const uint8_t *p, size_t n) {
    uint32_t c = ~0u;
    while (n--) c = crc_table[(c ^ *p++) & 255] ^ c >> 8;
    return ~c;
}
static uint32_t adler(const uint8_t *p, size_t n) {
    uint32_t a = 1, b = 0;
    while (n--) a = (a + *p++) % 65521, b = (b + a) % 65521;
    return b << 16 | a;
}
static uint32_t murmur3(const uint8_t *p, size_t n, uint32_t h) {
    size_t i = 0;
    uint32_t k;
    for (; i + 4 <= n; i += 4) {
        k = le32(p + i) * 0xcc9e2d51u;
        k = ROL32(k, 15) * 0x1b873593u;
        h = ROL32(h ^ k, 13) * 5 + 0xe6546b64u;
    }
    k = 0;
    switch (n & 3) {
    case 3: k ^= (uint32_t)p[i + 2] << 16; /* fall through */
    case 2: k ^= (uint32_t)p[i + 1] << 8;  /* fall through */
    case 1: k ^= p[i]; k *= 0xcc9e2d51u; h ^= ROL32(k, 15) * 0x1b873593u;
    }
    h ^= (uint32_t)n;
    h = (h ^ h >> 16) * 0x85ebca6bu;
    h = (h ^ h >> 13) * 0xc2b2ae35u;
    return h ^ h >> 16;
}
static uint64_t siphash(const uint8_t *p, size_t n, uint64_t k0, uint64_t k1) {
    uint64_t a = k0 ^ 0x736f6d6570736575ull, b = k1 ^ 0x646f72616e646f6dull, c = k0 ^ 0x6c7967656e657261ull, d = k1 ^ 0x7465646279746573ull;
#define ROUND (a += b, b = ROL64(b, 13) ^ a, a = ROL64(a, 32), c += d, d = ROL64(d, 16) ^ c, a += d, d = ROL64(d, 21) ^ a, c += b, b = ROL64(b, 17) ^ c, c = ROL64(c, 32))
    uint64_t last = (uint64_t)n << 56;
    for (; n >= 8; n -= 8, p += 8) {
        uint64_t m = le64(p);
        d ^= m, ROUND, ROUND, a ^= m;
    }
    for (size_t i = 0; i < n; i++) last |= (uint64_t)p[i] << (8 * i);
    d ^= last, ROUND, ROUND, a ^= last, c ^= 0xff;
    ROUND, ROUND, ROUND, ROUND;
    return a ^ b ^ c ^ d;
}
static uint32_t xx32(const uint8_t *p, size_t n, uint32_t seed) {
    const uint32_t P1 = 2654435761u, P2 = 2246822519u, P3 = 3266489917u, P4 = 668265263u, P5 = 374761393u;
    size_t i = 0;
    uint32_t h = seed + P5;
    if (n >= 16) {
        uint32_t v[4] = {seed + P1 + P2, seed + P2, seed, seed - P1};
        for (; i + 16 <= n; i += 16)
            for (int k = 0; k < 4; k++) v[k] = ROL32(v[k] + le32(p + i + 4 * k) * P2, 13) * P1;
        h = ROL32(v[0], 1) + ROL32(v[1], 7) + ROL32(v[2], 12) + ROL32(v[3], 18);
    }
    h += (uint32_t)n;
    for (; i + 4 <= n; i += 4) h = ROL32(h + le32(p + i) * P3, 17) * P4;
    for (; i < n; i++) h = ROL32(h + p[i] * P5, 11) * P1;
    h = (h ^ h >> 15) * P2;
    h = (h ^ h >> 13) * P3;
    return h ^ h >> 16;
}

int main(void) {
    for (int i = 0; i < 64; i++) md5_k[i] = (uint32_t)(sine(i + 1) * 4294967296.0);
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;
        for (int k = 0; k < 8; k++) c = c & 1 ? 0xedb88320u ^ c >> 1 : c >> 1;
        crc_table[i] = c;
    }
    sha_tables();
    static uint8_t data[5000];
    static const char *const known[] = {"", "abc", "message digest", "The quick brown fox jumps over the lazy dog"};
    for (int i = 0; i < COUNT(known) + 12; i++) {
        size_t n;
        if (i < COUNT(known)) {
            n = strlen(known[i]);
            memcpy(data, known[i], n);
        } else {
            n = (size_t)(i - 3) * (size_t)(i - 3) * 31 + (size_t)(i % 3);
            for (size_t k = 0; k < n; k++) data[k] = (uint8_t)rnd();
        }
        uint8_t out[64];
        md5(data, n, out), hex("md5", out, 16);
        sha1(data, n, out), hex("sha1", out, 20);
        sha256(data, n, out), hex("sha256", out, 32);
        sha512(data, n, out), hex("sha512", out, 64);
        printf("%08x %08x %08x %016llx %08x\n", crc32(data, n), adler(data, n), murmur3(data, n, 42), (unsigned long long)siphash(data, n, 0x0706050403020100ull, 0x0f0e0d0c0b0a0908ull), xx32(data, n, 7));
    }
    show("hashes");
    return 0;
}

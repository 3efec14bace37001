/* AES-128/256 (tables computed), ChaCha20, Poly1305, RC4, XTEA, Blowfish-like Feistel: encrypt, decrypt, compare. */
#include "prog.h"

static uint8_t sbox[256], inverse[256];
static uint8_t gmul(uint8_t a, uint8_t b) {
    uint8_t r = 0;
    for (; b; b >>= 1) {
        if (b & 1) r ^= a;
        a = (uint8_t)(a << 1 ^ (a & 0x80 ? 0x1b : 0));
    }
    return r;
}
static void aes_tables(void) {
    for (int i = 0; i < 256; i++) {
        uint8_t v = 0;
        for (int j = 1; j < 256 && i; j++)
            if (gmul((uint8_t)i, (uint8_t)j) == 1) { v = (uint8_t)j; break; }
        uint8_t s = v;
        for (int k = 1; k < 5; k++) s ^= (uint8_t)(v << k | v >> (8 - k));
        sbox[i] = s ^ 0x63;
        inverse[s ^ 0x63] = (uint8_t)i;
    }
}
typedef struct { uint8_t k[240]; int rounds; } Aes;
static void aes_key(Aes *a, const uint8_t *key, int bytes) {
    int words = bytes / 4;
    a->rounds = words + 6;
    memcpy(a->k, key, (size_t)bytes);
    uint8_t rcon = 1;
    for (int i = words; i < 4 * (a->rounds + 1); i++) {
        uint8_t t[4];
        memcpy(t, a->k + 4 * (i - 1), 4);
        if (i % words == 0) {
            uint8_t first = t[0];
            for (int k = 0; k < 3; k++) t[k] = sbox[t[k + 1]];
            t[3] = sbox[first];
            t[0] ^= rcon;
            rcon = gmul(rcon, 2);
        } else if (words > 6 && i % words == 4)
            for (int k = 0; k < 4; k++) t[k] = sbox[t[k]];
        for (int k = 0; k < 4; k++) a->k[4 * i + k] = a->k[4 * (i - words) + k] ^ t[k];
    }
}
static void aes_encrypt(const Aes *a, uint8_t *s) {
    for (int r = 0;; r++) {
        for (int i = 0; i < 16; i++) s[i] ^= a->k[16 * r + i];
        if (r == a->rounds) return;
        uint8_t t[16];
        for (int i = 0; i < 16; i++) t[i] = sbox[s[(i + 4 * (i % 4)) % 16]];
        for (int c = 0; c < 4; c++)
            for (int i = 0; i < 4; i++)
                s[4 * c + i] = r + 1 == a->rounds ? t[4 * c + i]
                    : (uint8_t)(gmul(t[4 * c + i], 2) ^ gmul(t[4 * c + (i + 1) % 4], 3) ^ t[4 * c + (i + 2) % 4] ^ t[4 * c + (i + 3) % 4]);
    }
}
static void aes_decrypt(const Aes *a, uint8_t *s) {
    for (int r = a->rounds;; r--) {
        for (int i = 0; i < 16; i++) s[i] ^= a->k[16 * r + i];
        if (r == 0) return;
        uint8_t t[16];
        for (int c = 0; c < 4; c++)
            for (int i = 0; i < 4; i++)
                t[4 * c + i] = r == a->rounds ? s[4 * c + i]
                    : (uint8_t)(gmul(s[4 * c + i], 14) ^ gmul(s[4 * c + (i + 1) % 4], 11) ^ gmul(s[4 * c + (i + 2) % 4], 13) ^ gmul(s[4 * c + (i + 3) % 4], 9));
        for (int i = 0; i < 16; i++) s[(i + 4 * (i % 4)) % 16] = inverse[t[i]];
    }
}

#define ROL(x, n) ((x) << (n) | (x) >> (32 - (n)))
static void chacha_block(const uint32_t in[16], uint8_t out[64]) {
    uint32_t x[16];
    memcpy(x, in, 64);
#define QR(a, b, c, d) x[a] += x[b], x[d] = ROL(x[d] ^ x[a], 16), x[c] += x[d], x[b] = ROL(x[b] ^ x[c], 12), \
                       x[a] += x[b], x[d] = ROL(x[d] ^ x[a], 8), x[c] += x[d], x[b] = ROL(x[b] ^ x[c], 7)
    for (int i = 0; i < 10; i++) {
        QR(0, 4, 8, 12), QR(1, 5, 9, 13), QR(2, 6, 10, 14), QR(3, 7, 11, 15);
        QR(0, 5, 10, 15), QR(1, 6, 11, 12), QR(2, 7, 8, 13), QR(3, 4, 9, 14);
    }
    for (int i = 0; i < 16; i++) {
        x[i] += in[i];
        for (int k = 0; k < 4; k++) out[4 * i + k] = (uint8_t)(x[i] >> (8 * k));
    }
}
static void poly1305(const uint8_t *m, size_t n, const uint8_t key[32], uint8_t tag[16]) {
    uint32_t r[17], h[17] = {0}, c[17];
    for (int i = 0; i < 16; i++) r[i] = key[i];
    r[16] = 0;
    r[3] &= 15, r[7] &= 15, r[11] &= 15, r[15] &= 15, r[4] &= 252, r[8] &= 252, r[12] &= 252;
    while (n > 0) {
        memset(c, 0, sizeof c);
        size_t j = 0;
        for (; j < 16 && j < n; j++) c[j] = m[j];
        c[j] = 1;
        m += j, n -= j;
        uint32_t u = 0;
        for (int k = 0; k < 17; k++) u += h[k] + c[k], h[k] = u & 255, u >>= 8;
        uint32_t x[17];
        for (int i = 0; i < 17; i++) {
            x[i] = 0;
            for (int k = 0; k < 17; k++) x[i] += h[k] * (k <= i ? r[i - k] : 320 * r[i + 17 - k]);
        }
        u = 0;
        for (int k = 0; k < 16; k++) u += x[k], h[k] = u & 255, u >>= 8;
        u += x[16];
        h[16] = u & 3;
        u = 5 * (u >> 2);
        for (int k = 0; k < 16; k++) u += h[k], h[k] = u & 255, u >>= 8;
        h[16] += u;
    }
    uint32_t g[17], u = 5;
    for (int k = 0; k < 17; k++) u += h[k], g[k] = u & 255, u >>= 8;
    uint32_t mask = g[16] >= 4 ? ~0u : 0;
    u = 0;
    for (int k = 0; k < 16; k++) {
        u += ((g[k] & mask) | (h[k] & ~mask)) + key[16 + k];
        tag[k] = (uint8_t)u;
        u >>= 8;
    }
}
static void rc4(const uint8_t *key, int keyn, uint8_t *p, int n) {
    uint8_t s[256], i = 0, j = 0;
    for (int k = 0; k < 256; k++) s[k] = (uint8_t)k;
    for (int k = 0; k < 256; k++) {
        j = (uint8_t)(j + s[k] + key[k % keyn]);
        uint8_t t = s[k]; s[k] = s[j]; s[j] = t;
    }
    j = 0;
    while (n--) {
        j = (uint8_t)(j + s[++i]);
        uint8_t t = s[i]; s[i] = s[j]; s[j] = t;
        *p++ ^= s[(uint8_t)(s[i] + s[j])];
    }
}
static void xtea(uint32_t v[2], const uint32_t k[4], int back) {
    uint32_t sum = back ? 0x9e3779b9u * 32 : 0;
    for (int i = 0; i < 32; i++) {
        if (back) {
            v[1] -= ((v[0] << 4 ^ v[0] >> 5) + v[0]) ^ (sum + k[sum >> 11 & 3]);
            sum -= 0x9e3779b9u;
            v[0] -= ((v[1] << 4 ^ v[1] >> 5) + v[1]) ^ (sum + k[sum & 3]);
        } else {
            v[0] += ((v[1] << 4 ^ v[1] >> 5) + v[1]) ^ (sum + k[sum & 3]);
            sum += 0x9e3779b9u;
            v[1] += ((v[0] << 4 ^ v[0] >> 5) + v[0]) ^ (sum + k[sum >> 11 & 3]);
        }
    }
}
static void hex(const char *name, const uint8_t *p, int n) {
    printf("%s ", name);
    for (int i = 0; i < n; i++) printf("%02x", p[i]), mix_byte(p[i]);
    printf("\n");
}

int main(void) {
    int bad = 0;
    aes_tables();
    hex("sbox", sbox, 256);
    uint8_t key[32], text[64], saved[64];
    for (int i = 0; i < 32; i++) key[i] = (uint8_t)i;
    for (int bytes = 16; bytes <= 32; bytes += 8) {
        Aes a;
        aes_key(&a, key, bytes);
        for (int i = 0; i < 16; i++) text[i] = (uint8_t)(i * 17);
        memcpy(saved, text, 16);
        aes_encrypt(&a, text), hex("aes", text, 16);
        aes_decrypt(&a, text);
        bad += memcmp(saved, text, 16) != 0;
        for (int round = 0; round < 200; round++) aes_encrypt(&a, text), text[round % 16] ^= (uint8_t)round;
        hex("aes chain", text, 16);
    }
    uint32_t in[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
    for (int i = 0; i < 8; i++) in[4 + i] = key[4 * i] | (uint32_t)key[4 * i + 1] << 8 | (uint32_t)key[4 * i + 2] << 16 | (uint32_t)key[4 * i + 3] << 24;
    in[12] = 1, in[13] = 0x09000000, in[14] = 0x4a000000;
    chacha_block(in, text), hex("chacha20", text, 64);
    for (int i = 0; i < 500; i++) {
        in[12]++;
        chacha_block(in, text);
        for (int k = 0; k < 64; k += 8) mix(text[k]);
    }
    uint8_t tag[16], message[300];
    for (int i = 0; i < 300; i++) message[i] = (uint8_t)rnd();
    for (size_t n = 0; n < 300; n += 23) poly1305(message, n, key, tag), hex("poly1305", tag, 16);
    uint8_t stream[100] = "attack at dawn";
    rc4((const uint8_t *)"Secret", 6, stream, 100), hex("rc4", stream, 100);
    rc4((const uint8_t *)"Secret", 6, stream, 100);
    bad += strcmp((char *)stream, "attack at dawn") != 0;
    for (int i = 0; i < 300; i++) {
        uint32_t k[4] = {(uint32_t)rnd(), (uint32_t)rnd(), 3, 4}, v[2] = {(uint32_t)rnd(), (uint32_t)i}, w[2] = {v[0], v[1]};
        xtea(v, k, 0), mix(v[0] ^ (uint64_t)v[1] << 32);
        xtea(v, k, 1);
        bad += v[0] != w[0] || v[1] != w[1];
    }
    show("ciphers");
    printf("bad %d\n", bad);
    return bad;
}

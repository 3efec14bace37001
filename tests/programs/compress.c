/* LZ77 with a hash chain, canonical Huffman, run lengths, move-to-front over Burrows-Wheeler, adaptive arithmetic coding: each must
 * give back what it was given. */
#include "prog.h"

enum { MAX = 1 << 16 };
typedef struct { uint8_t b[2 * MAX]; int n, bit; } Buf;
static void put_bits(Buf *o, uint32_t v, int n) {
    for (int i = 0; i < n; i++) {
        if (o->bit == 0) o->b[o->n++] = 0;
        o->b[o->n - 1] |= (uint8_t)((v >> i & 1) << o->bit);
        o->bit = (o->bit + 1) & 7;
    }
}
static uint32_t get_bits(const Buf *i, int *pos, int n) {
    uint32_t v = 0;
    for (int k = 0; k < n; k++, ++*pos) v |= (uint32_t)(i->b[*pos >> 3] >> (*pos & 7) & 1) << k;
    return v;
}

static void lz(const uint8_t *p, int n, Buf *o) {
    static int head[4096], chain[MAX];
    memset(head, -1, sizeof head);
    o->n = o->bit = 0;
    for (int i = 0; i < n;) {
        int best = 0, from = 0;
        if (i + 3 <= n) {
            uint32_t h = ((uint32_t)p[i] * 2654435761u ^ (uint32_t)p[i + 1] * 40503u ^ p[i + 2]) >> 4 & 4095;
            int tries = 32;
            for (int c = head[h]; c >= 0 && i - c < 32768 && tries--; c = chain[c]) {
                int k = 0;
                while (k < 258 && i + k < n && p[c + k] == p[i + k]) k++;
                if (k > best) best = k, from = c;
            }
        }
        int step = 1;
        if (best >= 4) put_bits(o, 1, 1), put_bits(o, (uint32_t)(i - from), 15), put_bits(o, (uint32_t)(best - 4), 8), step = best;
        else put_bits(o, 0, 1), put_bits(o, p[i], 8);
        while (step--) {
            if (i + 3 <= n) {
                uint32_t h = ((uint32_t)p[i] * 2654435761u ^ (uint32_t)p[i + 1] * 40503u ^ p[i + 2]) >> 4 & 4095;
                chain[i] = head[h], head[h] = i;
            }
            i++;
        }
    }
}
static int unlz(const Buf *in, uint8_t *p, int n) {
    int pos = 0, i = 0;
    while (i < n) {
        if (get_bits(in, &pos, 1)) {
            int d = (int)get_bits(in, &pos, 15), k = (int)get_bits(in, &pos, 8) + 4;
            if (d > i || d == 0) return -1;
            while (k--) p[i] = p[i - d], i++;
        } else p[i++] = (uint8_t)get_bits(in, &pos, 8);
    }
    return i;
}

typedef struct { uint32_t code[256]; int len[256]; } Huff;
static void lengths(const int *freq, Huff *h) {
    int w[512], parent[512], n = 0, alive[512];
    int leaf[256];
    for (int i = 0; i < 256; i++) { h->len[i] = 0; if (freq[i]) leaf[i] = n, w[n] = freq[i], alive[n] = 1, n++; else leaf[i] = -1; }
    int leaves = n;
    if (n == 1) { for (int i = 0; i < 256; i++) if (freq[i]) h->len[i] = 1; }
    for (int round = 1; round < leaves; round++) {
        int a = -1, b = -1;
        for (int i = 0; i < n; i++)
            if (alive[i]) {
                if (a < 0 || w[i] < w[a]) b = a, a = i;
                else if (b < 0 || w[i] < w[b]) b = i;
            }
        w[n] = w[a] + w[b], alive[a] = alive[b] = 0, alive[n] = 1, parent[a] = parent[b] = n++;
    }
    for (int i = 0; i < 256 && leaves > 1; i++)
        if (leaf[i] >= 0)
            for (int k = leaf[i]; k != n - 1; k = parent[k]) h->len[i]++;
    uint32_t code = 0;
    for (int l = 1; l < 32; l++, code <<= 1)
        for (int i = 0; i < 256; i++)
            if (h->len[i] == l) h->code[i] = code++;
}
static void huffman(const uint8_t *p, int n, Buf *o) {
    static Huff h;
    int freq[256] = {0};
    for (int i = 0; i < n; i++) freq[p[i]]++;
    lengths(freq, &h);
    o->n = o->bit = 0;
    for (int i = 0; i < 256; i++) put_bits(o, (uint32_t)h.len[i], 5);
    for (int i = 0; i < n; i++)
        for (int k = h.len[p[i]]; k-- > 0;) put_bits(o, h.code[p[i]] >> k & 1, 1);
}
static int unhuffman(const Buf *in, uint8_t *p, int n) {
    int len[256], pos = 0, count[33] = {0}, first[33] = {0}, start[33] = {0}, order[256], m = 0;
    for (int i = 0; i < 256; i++) count[len[i] = (int)get_bits(in, &pos, 5)]++;
    for (int l = 1, code = 0; l < 32; l++) {
        first[l] = code, start[l] = m;
        for (int i = 0; i < 256; i++) if (len[i] == l) order[m++] = i;
        code = (code + count[l]) << 1;
    }
    for (int i = 0; i < n; i++) {
        int code = 0, l = 0;
        do { code = code << 1 | (int)get_bits(in, &pos, 1); if (++l > 31) return -1; } while (code - first[l] >= count[l] || code < first[l]);
        p[i] = (uint8_t)order[start[l] + code - first[l]];
    }
    return n;
}

static const uint8_t *bwt_text;
static int bwt_n;
static int rotation(const void *a, const void *b) {
    int x = *(const int *)a, y = *(const int *)b;
    for (int k = 0; k < bwt_n; k++) {
        int p = bwt_text[(x + k) % bwt_n], q = bwt_text[(y + k) % bwt_n];
        if (p != q) return p - q;
    }
    return x - y;
}
static int bwt(const uint8_t *p, int n, uint8_t *o) {
    static int r[4096];
    bwt_text = p, bwt_n = n;
    int primary = 0;
    for (int i = 0; i < n; i++) r[i] = i;
    qsort(r, (size_t)n, sizeof *r, rotation);
    for (int i = 0; i < n; i++) { o[i] = p[(r[i] + n - 1) % n]; if (r[i] == 0) primary = i; }
    return primary;
}
static void unbwt(const uint8_t *p, int n, int primary, uint8_t *o) {
    static int next[4096];
    int count[257] = {0};
    for (int i = 0; i < n; i++) count[p[i] + 1]++;
    for (int i = 0; i < 256; i++) count[i + 1] += count[i];
    for (int i = 0; i < n; i++) next[count[p[i]]++] = i;
    for (int i = 0, k = next[primary]; i < n; i++, k = next[k]) o[i] = p[k];
}
static void mtf(uint8_t *p, int n, int back) {
    uint8_t t[256];
    for (int i = 0; i < 256; i++) t[i] = (uint8_t)i;
    for (int i = 0; i < n; i++) {
        int k = 0;
        uint8_t c;
        if (back) c = t[k = p[i]];
        else { c = p[i]; while (t[k] != c) k++; }
        p[i] = back ? c : (uint8_t)k;
        memmove(t + 1, t, (size_t)k);
        t[0] = c;
    }
}
static int rle(const uint8_t *p, int n, uint8_t *o) {
    int m = 0;
    for (int i = 0; i < n;) {
        int k = 1;
        while (i + k < n && k < 255 && p[i + k] == p[i]) k++;
        o[m++] = (uint8_t)k, o[m++] = p[i];
        i += k;
    }
    return m;
}

/* Binary adaptive range coder, context: the bits of the byte so far. */
static int range_code(uint8_t *p, int n, Buf *o, int decode) {
    static uint16_t prob[256];
    for (int i = 0; i < 256; i++) prob[i] = 2048;
    uint32_t lo = 0, hi = ~0u, x = 0;
    int pos = 0;
    if (!decode) o->n = 0;
    else for (int i = 0; i < 4; i++) x = x << 8 | o->b[pos++];
    for (int i = 0; i < n; i++) {
        int c = 1;
        for (int k = 7; k >= 0; k--) {
            uint32_t mid = lo + (uint32_t)(((uint64_t)(hi - lo) * prob[c]) >> 12);
            int bit = decode ? x <= mid : p[i] >> k & 1;
            if (bit) hi = mid, prob[c] = (uint16_t)(prob[c] + ((4096 - prob[c]) >> 5));
            else lo = mid + 1, prob[c] = (uint16_t)(prob[c] - (prob[c] >> 5));
            c = (c << 1 | bit) & 255;
            if (k == 0 && decode) p[i] = (uint8_t)c;
            while (!((lo ^ hi) >> 24)) {
                if (!decode) o->b[o->n++] = (uint8_t)(hi >> 24);
                else x = x << 8 | o->b[pos++];
                lo <<= 8, hi = hi << 8 | 255;
            }
        }
    }
    if (!decode) for (int i = 0; i < 4; i++) o->b[o->n++] = (uint8_t)(lo >> 24), lo <<= 8;
    return o->n;
}

int main(void) {
    static uint8_t data[MAX], back[MAX], other[2 * MAX];
    static Buf buf;
    int bad = 0;
    for (int kind = 0; kind < 5; kind++) {
        int n = kind == 4 ? 1 : 20000 + kind * 1000;
        for (int i = 0; i < n; i++)
            switch (kind) {
            case 0: data[i] = (uint8_t)rnd(); break;
            case 1: data[i] = "etaoin shrdlu"[rnd_below(13) * rnd_below(13) / 13]; break;
            case 2: data[i] = (uint8_t)(i % 97 == 0 ? rnd() : i > 100 ? data[i - 97] : i); break;
            case 3: data[i] = (uint8_t)(i / 1000); break;
            default: data[i] = 'x';
            }
        lz(data, n, &buf);
        printf("lz %d -> %d", n, buf.n);
        for (int i = 0; i < buf.n; i++) mix_byte(buf.b[i]);
        bad += unlz(&buf, back, n) != n || memcmp(data, back, (size_t)n);
        huffman(data, n, &buf);
        printf(", huffman %d", buf.n);
        for (int i = 0; i < buf.n; i++) mix_byte(buf.b[i]);
        bad += unhuffman(&buf, back, n) != n || memcmp(data, back, (size_t)n);
        int m = n > 2000 ? 2000 : n;
        if (kind == 3) m = 60; /* long equal rotations are slow to sort */
        int primary = bwt(data, m, other);
        mtf(other, m, 0);
        printf(", bwt %d", rle(other, m, back));
        mtf(other, m, 1);
        unbwt(other, m, primary, back);
        bad += memcmp(data, back, (size_t)m) != 0;
        memcpy(back, data, (size_t)n);
        printf(", range %d\n", range_code(back, n, &buf, 0));
        for (int i = 0; i < buf.n; i++) mix_byte(buf.b[i]);
        memset(back, 0, (size_t)n);
        range_code(back, n, &buf, 1);
        bad += memcmp(data, back, (size_t)n) != 0;
    }
    show("compress");
    printf("bad %d\n", bad);
    return bad;
}

/* Big integers: addition, multiplication (schoolbook and Karatsuba), division, powers modulo, gcd, decimal printing; digits of
 * pi and e, factorials, Fibonacci, Miller-Rabin, RSA with small keys. */
#include "prog.h"

enum { N = 160 };
typedef struct { int n; uint32_t d[N]; } Big;
static void trim(Big *a) { while (a->n && !a->d[a->n - 1]) a->n--; }
static Big small(uint64_t v) { Big r = {2, {(uint32_t)v, (uint32_t)(v >> 32)}}; trim(&r); return r; }
static int cmp(const Big *a, const Big *b) {
    if (a->n != b->n) return a->n < b->n ? -1 : 1;
    for (int i = a->n; i-- > 0;) if (a->d[i] != b->d[i]) return a->d[i] < b->d[i] ? -1 : 1;
    return 0;
}
static Big add(const Big *a, const Big *b) {
    Big r = {0};
    uint64_t c = 0;
    int n = a->n > b->n ? a->n : b->n;
    for (int i = 0; i <= n && i < N; i++) {
        c += (i < a->n ? a->d[i] : 0ull) + (i < b->n ? b->d[i] : 0ull);
        r.d[i] = (uint32_t)c, c >>= 32, r.n = i + 1;
    }
    trim(&r);
    return r;
}
static Big sub(const Big *a, const Big *b) {
    Big r = {0};
    int64_t c = 0;
    for (int i = 0; i < a->n; i++) {
        c += (int64_t)a->d[i] - (i < b->n ? (int64_t)b->d[i] : 0);
        r.d[i] = (uint32_t)c, c >>= 32;
    }
    r.n = a->n;
    trim(&r);
    return r;
}
static Big mul(const Big *a, const Big *b) {
    Big r = {0};
    for (int i = 0; i < a->n; i++) {
        uint64_t c = 0;
        for (int j = 0; j < b->n || c; j++) {
            c += r.d[i + j] + (uint64_t)a->d[i] * (j < b->n ? b->d[j] : 0);
            r.d[i + j] = (uint32_t)c, c >>= 32;
        }
    }
    r.n = a->n + b->n < N ? a->n + b->n : N;
    trim(&r);
    return r;
}
static Big shift(const Big *a, int words) {
    Big r = {0};
    if (words >= 0) memcpy(r.d + words, a->d, sizeof(uint32_t) * (size_t)a->n), r.n = a->n ? a->n + words : 0;
    else if (a->n > -words) memcpy(r.d, a->d - words, sizeof(uint32_t) * (size_t)(a->n + words)), r.n = a->n + words;
    return r;
}
static Big karatsuba(const Big *a, const Big *b) {
    int h = (a->n > b->n ? a->n : b->n) / 2;
    if (h < 8) return mul(a, b);
    Big al = *a, bl = *b, ah = shift(a, -h), bh = shift(b, -h);
    if (al.n > h) { al.n = h; trim(&al); }
    if (bl.n > h) { bl.n = h; trim(&bl); }
    memset(al.d + al.n, 0, sizeof(uint32_t) * (size_t)(N - al.n)), memset(bl.d + bl.n, 0, sizeof(uint32_t) * (size_t)(N - bl.n));
    Big lo = karatsuba(&al, &bl), hi = karatsuba(&ah, &bh), sa = add(&al, &ah), sb = add(&bl, &bh), mid = karatsuba(&sa, &sb);
    mid = sub(&mid, &lo), mid = sub(&mid, &hi);
    mid = shift(&mid, h), hi = shift(&hi, 2 * h);
    Big r = add(&lo, &mid);
    return add(&r, &hi);
}
static uint32_t divsmall(Big *a, uint32_t b) {
    uint64_t r = 0;
    for (int i = a->n; i-- > 0;) r = r << 32 | a->d[i], a->d[i] = (uint32_t)(r / b), r %= b;
    trim(a);
    return (uint32_t)r;
}
static Big divmod(const Big *a, const Big *b, Big *rem) { /* Knuth D */
    Big q = {0};
    if (cmp(a, b) < 0) { *rem = *a; return q; }
    if (b->n == 1) { q = *a; *rem = small(divsmall(&q, b->d[0])); return q; }
    int s = __builtin_clz(b->d[b->n - 1]);
    uint32_t u[N + 2] = {0}, v[N] = {0};
    for (int i = b->n; i-- > 0;) v[i] = b->d[i] << s | (s && i ? b->d[i - 1] >> (32 - s) : 0);
    u[a->n] = s ? a->d[a->n - 1] >> (32 - s) : 0;
    for (int i = a->n; i-- > 0;) u[i] = a->d[i] << s | (s && i ? a->d[i - 1] >> (32 - s) : 0);
    int n = b->n;
    for (int j = a->n - n; j >= 0; j--) {
        uint64_t top = (uint64_t)u[j + n] << 32 | u[j + n - 1], qh = top / v[n - 1], rh = top % v[n - 1];
        while (qh >> 32 || qh * v[n - 2] > (rh << 32 | u[j + n - 2])) { qh--, rh += v[n - 1]; if (rh >> 32) break; }
        int64_t borrow = 0;
        uint64_t carry = 0;
        for (int i = 0; i < n; i++) {
            carry += qh * v[i];
            borrow += (int64_t)u[i + j] - (uint32_t)carry;
            u[i + j] = (uint32_t)borrow, borrow >>= 32, carry >>= 32;
        }
        borrow += (int64_t)u[j + n] - (int64_t)carry;
        u[j + n] = (uint32_t)borrow;
        if (borrow < 0) {
            qh--;
            uint64_t c = 0;
            for (int i = 0; i < n; i++) c += (uint64_t)u[i + j] + v[i], u[i + j] = (uint32_t)c, c >>= 32;
            u[j + n] += (uint32_t)c;
        }
        q.d[j] = (uint32_t)qh;
    }
    q.n = a->n - n + 1;
    trim(&q);
    memset(rem, 0, sizeof *rem);
    rem->n = n;
    for (int i = 0; i < n; i++) rem->d[i] = u[i] >> s | (s ? (uint32_t)((uint64_t)u[i + 1] << (32 - s)) : 0);
    trim(rem);
    return q;
}
static void print(const char *what, Big a) {
    char t[N * 10 + 1], *p = t + N * 10;
    *p = 0;
    do {
        uint32_t r = divsmall(&a, 1000000000);
        for (int i = 0; i < 9 && (a.n || r); i++) *--p = (char)('0' + r % 10), r /= 10;
    } while (a.n);
    if (!*p) *--p = '0';
    mix_text(p);
    printf("%s %s\n", what, p);
}
static Big powmod(Big b, const Big *e, const Big *m) {
    Big r = small(1), x;
    divmod(&b, m, &x), b = x;
    for (int i = 0; i < e->n * 32; i++) {
        if (e->d[i / 32] >> (i % 32) & 1) { Big t = mul(&r, &b); divmod(&t, m, &r); }
        Big t = mul(&b, &b);
        divmod(&t, m, &b);
    }
    return r;
}
static int prime(const Big *n) {
    static const int bases[] = {2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37};
    Big one = small(1), minus = sub(n, &one), d = minus;
    int s = 0;
    while (!(d.d[0] & 1)) divsmall(&d, 2), s++;
    for (int i = 0; i < COUNT(bases); i++) {
        Big x = powmod(small((uint64_t)bases[i]), &d, n);
        if (cmp(&x, &one) == 0 || cmp(&x, &minus) == 0) continue;
        int ok = 0;
        for (int k = 1; k < s && !ok; k++) {
            Big t = mul(&x, &x);
            divmod(&t, n, &x);
            ok = cmp(&x, &minus) == 0;
        }
        if (!ok) return 0;
    }
    return 1;
}
static Big random_big(int words) { Big r = {words, {0}}; for (int i = 0; i < words; i++) r.d[i] = (uint32_t)(rnd() >> 13); r.d[words - 1] |= 1; return r; }

int main(void) {
    Big f = small(1), a = small(0), b = small(1);
    for (uint32_t i = 2; i <= 200; i++) { Big k = small(i); f = mul(&f, &k); }
    print("200!", f);
    for (int i = 0; i < 1500; i++) { Big c = add(&a, &b); a = b, b = c; }
    print("fib", a);
    int bad = 0;
    for (int i = 0; i < 120; i++) {
        Big x = random_big(1 + (int)rnd_below(70)), y = random_big(1 + (int)rnd_below(60)), r;
        Big p = mul(&x, &y), k = karatsuba(&x, &y);
        bad += cmp(&p, &k) != 0;
        Big q = divmod(&p, &y, &r);
        bad += cmp(&q, &x) != 0 || r.n != 0;
        q = divmod(&x, &y, &r);
        Big t = mul(&q, &y);
        t = add(&t, &r);
        bad += cmp(&t, &x) != 0 || cmp(&r, &y) >= 0;
        for (int j = 0; j < r.n; j++) mix(r.d[j]);
    }
    Big y;
    memset(&y, 0xff, sizeof y), y.n = 6;
    Big z = {3, {0, 0, 0x80000000u}}, r;
    memset(y.d + 6, 0, sizeof(uint32_t) * (N - 6));
    Big q = divmod(&y, &z, &r);
    print("q", q), print("r", r);
    Big p = small(0xffffffffffffffc5ull);
    printf("prime %d", prime(&p));
    p = small(0xffffffffffffffc3ull);
    printf(" %d", prime(&p));
    Big m127 = small(1);
    for (int i = 0; i < 127; i++) m127 = add(&m127, &m127);
    Big one = small(1);
    m127 = sub(&m127, &one);
    printf(" %d\n", prime(&m127));
    Big n1 = small(1000000007), n2 = small(998244353), n = mul(&n1, &n2), e = small(65537);
    Big m = small(123456789123456ull), c = powmod(m, &e, &n);
    print("rsa", c);
    uint64_t phi = 1000000006ull * 998244352ull, t0 = 0, t1 = 1, r0 = phi, r1 = 65537;
    while (r1) { uint64_t k = r0 / r1, t = t0 - k * t1; t0 = t1, t1 = t, t = r0 - k * r1, r0 = r1, r1 = t; }
    if ((int64_t)t0 < 0) t0 += phi;
    Big d = small(t0);
    print("back", powmod(c, &d, &n));
    /* Spigot: 200 digits of pi. */
    static int digit[800];
    for (int i = 0; i < 700; i++) digit[i] = 2000;
    for (int k = 700, carry = 0; k > 0; k -= 14) {
        int s = 0;
        for (int i = k; --i;) s += digit[i] * 10000, digit[i] = s % (2 * i - 1), s /= 2 * i - 1, s *= i;
        s += digit[0] * 0;
        printf("%04d", (carry + s / 10000) % 10000);
        carry = s % 10000;
    }
    printf("\n");
    show("bigint");
    printf("bad %d\n", bad);
    return bad;
}

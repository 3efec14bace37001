/* Geometry and arithmetic on exact types: convex hull, closest pair, point in polygon, segment crossing, rationals, fixed point square roots and CORDIC,
 * modular arithmetic, Montgomery multiplication, number theoretic transform, matrix powers. */
#include "prog.h"

typedef struct { int x, y; } P;
static int64_t cross(P a, P b, P c) { return (int64_t)(b.x - a.x) * (c.y - a.y) - (int64_t)(b.y - a.y) * (c.x - a.x); }
static int by_x(const void *a, const void *b) { const P *p = a, *q = b; return p->x != q->x ? (p->x < q->x ? -1 : 1) : (p->y > q->y) - (p->y < q->y); }
static int hull(P *p, int n, P *h) {
    int k = 0;
    for (int i = 0; i < n; i++) { while (k > 1 && cross(h[k - 2], h[k - 1], p[i]) <= 0) k--; h[k++] = p[i]; }
    for (int i = n - 1, t = k + 1; i-- > 0;) { while (k >= t && cross(h[k - 2], h[k - 1], p[i]) <= 0) k--; h[k++] = p[i]; }
    return k - 1;
}
static int64_t closest(P *p, int n) {
    int64_t best = INT64_MAX;
    for (int i = 0; i < n; i++) for (int j = i + 1; j < n && (int64_t)(p[j].x - p[i].x) * (p[j].x - p[i].x) < best; j++) { int64_t dx = p[j].x - p[i].x, dy = p[j].y - p[i].y, d = dx * dx + dy * dy; if (d < best) best = d; }
    return best;
}
static int inside(const P *h, int n, P q) { int in = 0; for (int i = 0, j = n - 1; i < n; j = i++) if ((h[i].y > q.y) != (h[j].y > q.y)) { int64_t c = cross(h[j], h[i], q); if ((c > 0) == (h[i].y > h[j].y)) in = !in; } return in; }
static int64_t gcd(int64_t a, int64_t b) { while (b) { int64_t t = a % b; a = b, b = t; } return a < 0 ? -a : a; }
typedef struct { int64_t n, d; } Q;
static Q q(int64_t n, int64_t d) { int64_t g = gcd(n, d); if (d < 0) g = -g; return (Q){n / g, d / g}; }
static Q q_add(Q a, Q b) { return q(a.n * b.d + b.n * a.d, a.d * b.d); }
static Q q_mul(Q a, Q b) { return q(a.n * b.n, a.d * b.d); }
static uint32_t isqrt(uint64_t v) { uint64_t r = 0; for (uint64_t bit = 1ull << 62; bit; bit >>= 2) if (v >= r + bit) v -= r + bit, r = (r >> 1) + bit; else r >>= 1; return (uint32_t)r; }
enum { MOD = 998244353 };
static uint32_t power(uint64_t b, uint64_t e) { uint64_t r = 1; for (b %= MOD; e; e >>= 1, b = b * b % MOD) if (e & 1) r = r * b % MOD; return (uint32_t)r; }
static void ntt(uint32_t *a, int n, int back) {
    for (int i = 1, j = 0; i < n; i++) { int bit = n >> 1; for (; j & bit; bit >>= 1) j ^= bit; j ^= bit; if (i < j) { uint32_t t = a[i]; a[i] = a[j], a[j] = t; } }
    for (int len = 2; len <= n; len <<= 1) {
        uint64_t w = power(3, (uint64_t)(MOD - 1) / (uint64_t)len);
        if (back) w = power(w, MOD - 2);
        for (int i = 0; i < n; i += len) { uint64_t f = 1; for (int k = 0; k < len / 2; k++, f = f * w % MOD) { uint32_t u = a[i + k], v = (uint32_t)(a[i + k + len / 2] * f % MOD); a[i + k] = u + v >= MOD ? u + v - MOD : u + v; a[i + k + len / 2] = u < v ? u + MOD - v : u - v; } }
    }
    if (back) { uint64_t inv = power((uint64_t)n, MOD - 2); for (int i = 0; i < n; i++) a[i] = (uint32_t)(a[i] * inv % MOD); }
}
static uint64_t montgomery(uint64_t a, uint64_t b, uint64_t m, uint64_t inv) {
    unsigned __int128 t = (unsigned __int128)a * b;
    uint64_t k = (uint64_t)t * inv, hi = (uint64_t)(((unsigned __int128)k * m) >> 64), r = (uint64_t)(t >> 64);
    return r >= hi ? r - hi : r - hi + m;
}
int main(void) {
    static P p[1000], h[2001];
    for (int i = 0; i < 1000; i++) p[i].x = (int)rnd_below(100000) - 50000, p[i].y = (int)(rnd() % 100000) - 50000;
    qsort(p, 1000, sizeof *p, by_x);
    int n = hull(p, 1000, h), in = 0;
    int64_t area = 0;
    for (int i = 0; i < n; i++) area += cross((P){0, 0}, h[i], h[(i + 1) % n]);
    for (int i = 0; i < 2000; i++) { P t = {(int)rnd_below(140000) - 70000, 0}; t.y = (int)rnd_below(140000) - 70000; in += inside(h, n, t); }
    printf("hull %d area %lld closest %lld inside %d\n", n, (long long)area, (long long)closest(p, 1000), in);
    Q s = {0, 1};
    for (int i = 1; i <= 20; i++) s = q_add(s, q_mul(q(1, i), q(i % 2 ? 1 : -1, 3)));
    printf("rational %lld/%lld\n", (long long)s.n, (long long)s.d);
    for (int i = 0; i < 64; i++) { uint64_t v = rnd() >> i, r = isqrt(v); if (r * r > v || (r < 0xffffffffu && (r + 1) * (r + 1) <= v)) printf("root!\n"); mix(r); }
    int32_t x = 39796, y = 0, z; /* CORDIC in 16.16; angles by halving: atan(2^-i) is near 2^-i */
    static const int32_t atans[] = {51472, 30386, 16055, 8150, 4091, 2047, 1024, 512, 256, 128, 64, 32, 16, 8, 4, 2};
    for (int a = -100000; a <= 100000; a += 4999) {
        x = 39796, y = 0, z = a;
        for (int i = 0; i < 16; i++) { int32_t t = x; if (z >= 0) x -= y >> i, y += t >> i, z -= atans[i]; else x += y >> i, y -= t >> i, z += atans[i]; }
        printf("%d:%d ", x, y);
    }
    static uint32_t a[512], b[512], slow[512];
    for (int i = 0; i < 256; i++) a[i] = rnd_below(MOD), b[i] = rnd_below(MOD);
    for (int i = 0; i < 256; i++) for (int j = 0; j < 256; j++) slow[i + j] = (uint32_t)((slow[i + j] + (uint64_t)a[i] * b[j]) % MOD);
    ntt(a, 512, 0), ntt(b, 512, 0);
    for (int i = 0; i < 512; i++) a[i] = (uint32_t)((uint64_t)a[i] * b[i] % MOD);
    ntt(a, 512, 1);
    int bad = memcmp(a, slow, sizeof a) != 0;
    uint64_t m = 0xfffffffffffffc5full, inv = 1, v = 12345;
    for (int i = 0; i < 6; i++) inv *= 2 - m * inv;
    for (int i = 0; i < 2000; i++) v = montgomery(v, v ^ (uint64_t)i, m, inv), mix(v);
    uint64_t f[2][2] = {{1, 1}, {1, 0}}, r[2][2] = {{1, 0}, {0, 1}};
    for (uint64_t e = 1000000000000ull; e; e >>= 1) {
        uint64_t t[2][2];
        if (e & 1) { for (int i = 0; i < 2; i++) for (int j = 0; j < 2; j++) t[i][j] = (r[i][0] * f[0][j] + r[i][1] * f[1][j]) % MOD; memcpy(r, t, sizeof r); }
        for (int i = 0; i < 2; i++) for (int j = 0; j < 2; j++) t[i][j] = (f[i][0] * f[0][j] + f[i][1] * f[1][j]) % MOD;
        memcpy(f, t, sizeof f);
    }
    printf("\nbad %d fib %llu\n", bad, (unsigned long long)r[0][1]);
    show("geometry");
    return bad;
}

/* Dynamic programming and combinatorics: knapsack, coin change, LIS, matrix chain, partitions, Catalan, permutations, combinations, subset
 * sums, bracket sequences, travelling salesman by bit masks, Gray codes, Josephus, Zeckendorf, sieve, totients, continued fractions. */
#include "prog.h"

static uint64_t choose[70][70];
static int perms;
static void permute(int *a, int n, int k) {
    if (k == n) { perms++; uint64_t h = 0; for (int i = 0; i < n; i++) h = h * 10 + (uint64_t)a[i]; mix(h); return; }
    for (int i = k; i < n; i++) { int t = a[k]; a[k] = a[i], a[i] = t; permute(a, n, k + 1); t = a[k]; a[k] = a[i], a[i] = t; }
}
static int brackets(char *s, int at, int open, int n) {
    if (at == 2 * n) { s[at] = 0, mix_text(s); return 1; }
    int r = 0;
    if (open < 2 * n - at) s[at] = '(', r += brackets(s, at + 1, open + 1, n);
    if (open) s[at] = ')', r += brackets(s, at + 1, open - 1, n);
    return r;
}
static int next_permutation(int *a, int n) {
    int i = n - 2, j = n - 1;
    while (i >= 0 && a[i] >= a[i + 1]) i--;
    if (i < 0) return 0;
    while (a[j] <= a[i]) j--;
    int t = a[i]; a[i] = a[j], a[j] = t;
    for (int l = i + 1, r = n - 1; l < r; l++, r--) t = a[l], a[l] = a[r], a[r] = t;
    return 1;
}
int main(void) {
    static int best[1001], weight[40], value[40];
    for (int i = 0; i < 40; i++) weight[i] = 5 + (int)rnd_below(60), value[i] = (int)rnd_below(500);
    for (int i = 0; i < 40; i++) for (int c = 1000; c >= weight[i]; c--) if (best[c - weight[i]] + value[i] > best[c]) best[c] = best[c - weight[i]] + value[i];
    printf("knapsack %d", best[1000]);
    static uint64_t ways[1001];
    static const int coins[] = {1, 2, 5, 10, 20, 50, 100, 200};
    ways[0] = 1;
    for (int i = 0; i < COUNT(coins); i++) for (int c = coins[i]; c <= 1000; c++) ways[c] += ways[c - coins[i]];
    printf(" coins %llu", (unsigned long long)ways[1000]);
    int tail[500], len = 0;
    for (int i = 0; i < 500; i++) { int x = (int)rnd_below(10000), lo = 0, hi = len; while (lo < hi) { int m = (lo + hi) / 2; if (tail[m] < x) lo = m + 1; else hi = m; } tail[lo] = x; if (lo == len) len++; }
    printf(" lis %d", len);
    static int64_t chain[40][40];
    int dim[41];
    for (int i = 0; i <= 40; i++) dim[i] = 3 + (int)rnd_below(50);
    for (int l = 1; l < 40; l++) for (int i = 0; i + l < 40; i++) { int j = i + l; chain[i][j] = INT64_MAX; for (int k = i; k < j; k++) { int64_t c = chain[i][k] + chain[k + 1][j] + (int64_t)dim[i] * dim[k + 1] * dim[j + 1]; if (c < chain[i][j]) chain[i][j] = c; } }
    printf(" chain %lld\n", (long long)chain[0][39]);
    for (int i = 0; i < 67; i++) for (int j = 0; j <= i; j++) choose[i][j] = j == 0 || j == i ? 1 : choose[i - 1][j - 1] + choose[i - 1][j];
    static uint64_t part[301];
    part[0] = 1;
    for (int k = 1; k <= 300; k++) for (int i = k; i <= 300; i++) part[i] += part[i - k];
    printf("choose %llu partitions %llu catalan %llu\n", (unsigned long long)choose[66][33], (unsigned long long)part[300], (unsigned long long)(choose[60][30] / 31));
    int a[8] = {0, 1, 2, 3, 4, 5, 6, 7}, count = 1;
    char s[40];
    permute(a, 7, 0);
    while (next_permutation(a, 8)) count++;
    printf("permutations %d %d brackets %d\n", perms, count, brackets(s, 0, 0, 8));
    enum { C = 13 };
    static int d[C][C], tour[1 << C][C];
    for (int i = 0; i < C; i++) for (int j = 0; j < C; j++) d[i][j] = 10 + (int)rnd_below(90);
    memset(tour, 63, sizeof tour);
    tour[1][0] = 0;
    for (int m = 1; m < 1 << C; m++) for (int i = 0; i < C; i++) if (m >> i & 1) for (int j = 0; j < C; j++) if (!(m >> j & 1) && tour[m][i] + d[i][j] < tour[m | 1 << j][j]) tour[m | 1 << j][j] = tour[m][i] + d[i][j];
    int shortest = 1 << 30;
    for (int i = 1; i < C; i++) if (tour[(1 << C) - 1][i] + d[i][0] < shortest) shortest = tour[(1 << C) - 1][i] + d[i][0];
    printf("tour %d\n", shortest);
    static uint8_t composite[200001];
    static int phi[200001], mu[200001];
    int primes = 0;
    for (int i = 0; i <= 200000; i++) phi[i] = i, mu[i] = 1;
    for (int i = 2; i <= 200000; i++)
        if (!composite[i]) { primes++; for (int j = i; j <= 200000; j += i) composite[j] = j > i, phi[j] -= phi[j] / i, mu[j] = j / i % i == 0 ? 0 : -mu[j]; }
    int64_t sum = 0, mertens = 0;
    for (int i = 1; i <= 200000; i++) sum += phi[i], mertens += mu[i];
    printf("primes %d totients %lld mertens %lld\n", primes, (long long)sum, (long long)mertens);
    for (uint32_t i = 0; i < 1000; i++) { uint32_t g = i ^ i >> 1, b = g; for (int k = 1; k < 32; k *= 2) b ^= b >> k; if (b != i) printf("gray!\n"); mix(g); }
    int josephus = 0;
    for (int n = 2; n <= 1000; n++) josephus = (josephus + 7) % n;
    uint64_t p = 1, q = 0, p0 = 0, q0 = 1;
    for (int i = 0; i < 40; i++) { uint64_t t = i % 3 == 1 ? (uint64_t)(2 * (i / 3 + 1)) : 1; if (!i) t = 2; uint64_t n = t * p + p0, m = t * q + q0; if (n > 1ull << 58) break; p0 = p, p = n, q0 = q, q = m; }
    printf("josephus %d e %.15f\n", josephus, (double)p / (double)q);
    show("dynamic");
    return 0;
}

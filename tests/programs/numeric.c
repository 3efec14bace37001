/* Floating-point algorithms: matrices (product, LU, inverse), FFT, n-body, Mandelbrot, Newton, Simpson, Runge-Kutta, conjugate gradient,
 * Jacobi eigenvalues, splines. Only + - * / and sqrt, so that both builds must give the same bits. */
#include "prog.h"
#include <math.h>

enum { M = 24 };
typedef double Mat[M][M];
static double frand(void) { return (double)(int64_t)(rnd() >> 11) / 9007199254740992.0; }
static void product(Mat a, Mat b, Mat c) {
    for (int i = 0; i < M; i++)
        for (int j = 0; j < M; j++) {
            double s = 0;
            for (int k = 0; k < M; k++) s += a[i][k] * b[k][j];
            c[i][j] = s;
        }
}
static double lu(Mat a, int *perm) {
    double det = 1;
    for (int i = 0; i < M; i++) perm[i] = i;
    for (int k = 0; k < M; k++) {
        int p = k;
        for (int i = k + 1; i < M; i++) if (fabs(a[i][k]) > fabs(a[p][k])) p = i;
        if (p != k) {
            for (int j = 0; j < M; j++) { double t = a[k][j]; a[k][j] = a[p][j]; a[p][j] = t; }
            int t = perm[k]; perm[k] = perm[p]; perm[p] = t;
            det = -det;
        }
        det *= a[k][k];
        for (int i = k + 1; i < M; i++) {
            double f = a[i][k] /= a[k][k];
            for (int j = k + 1; j < M; j++) a[i][j] -= f * a[k][j];
        }
    }
    return det;
}
static void solve(Mat a, const int *perm, const double *b, double *x) {
    for (int i = 0; i < M; i++) {
        x[i] = b[perm[i]];
        for (int j = 0; j < i; j++) x[i] -= a[i][j] * x[j];
    }
    for (int i = M; i-- > 0;) {
        for (int j = i + 1; j < M; j++) x[i] -= a[i][j] * x[j];
        x[i] /= a[i][i];
    }
}
static void matrices(void) {
    static Mat a, b, c, keep;
    for (int i = 0; i < M; i++) for (int j = 0; j < M; j++) keep[i][j] = a[i][j] = frand() - 0.5, b[i][j] = i == j;
    int perm[M];
    double det = lu(a, perm), x[M], col[M], worst = 0;
    for (int j = 0; j < M; j++) {
        for (int i = 0; i < M; i++) col[i] = i == j;
        solve(a, perm, col, x);
        for (int i = 0; i < M; i++) b[i][j] = x[i];
    }
    product(keep, b, c);
    for (int i = 0; i < M; i++) for (int j = 0; j < M; j++) { double e = fabs(c[i][j] - (i == j)); if (e > worst) worst = e; mix_f64(b[i][j]); }
    printf("det %.12g worst below 1e-10: %d\n", det, worst < 1e-10);
}

typedef struct { double re, im; } Cx;
static Cx mul(Cx a, Cx b) { return (Cx){a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re}; }
static void fft(Cx *a, int n, int back) {
    for (int i = 1, j = 0; i < n; i++) {
        int bit = n >> 1;
        for (; j & bit; bit >>= 1) j ^= bit;
        j ^= bit;
        if (i < j) { Cx t = a[i]; a[i] = a[j]; a[j] = t; }
    }
    Cx w = {-1, 0}; /* the root of unity of each length is the square root of the one before */
    for (int len = 2; len <= n; len <<= 1) {
        for (int i = 0; i < n; i += len) {
            Cx f = {1, 0};
            for (int k = 0; k < len / 2; k++) {
                Cx u = a[i + k], v = mul(a[i + k + len / 2], f);
                a[i + k] = (Cx){u.re + v.re, u.im + v.im};
                a[i + k + len / 2] = (Cx){u.re - v.re, u.im - v.im};
                f = mul(f, back ? (Cx){w.re, -w.im} : w);
            }
        }
        double re = sqrt((1 + w.re) / 2), im = sqrt((1 - w.re) / 2);
        w = (Cx){re, -im};
    }
    if (back) for (int i = 0; i < n; i++) a[i].re /= n, a[i].im /= n;
}
static void transforms(void) {
    static Cx a[1024], keep[1024];
    double worst = 0;
    for (int i = 0; i < 1024; i++) keep[i] = a[i] = (Cx){frand(), frand() * 2 - 1};
    fft(a, 1024, 0);
    for (int i = 0; i < 1024; i++) mix_f64(a[i].re), mix_f64(a[i].im);
    fft(a, 1024, 1);
    for (int i = 0; i < 1024; i++) { double e = fabs(a[i].re - keep[i].re) + fabs(a[i].im - keep[i].im); if (e > worst) worst = e; }
    printf("fft back below 1e-9: %d\n", worst < 1e-9);
}
typedef struct { double p[3], v[3], mass; } Body;
static double energy(const Body *b, int n) {
    double e = 0;
    for (int i = 0; i < n; i++) {
        e += 0.5 * b[i].mass * (b[i].v[0] * b[i].v[0] + b[i].v[1] * b[i].v[1] + b[i].v[2] * b[i].v[2]);
        for (int j = i + 1; j < n; j++) {
            double d = 0;
            for (int k = 0; k < 3; k++) d += (b[i].p[k] - b[j].p[k]) * (b[i].p[k] - b[j].p[k]);
            e -= b[i].mass * b[j].mass / sqrt(d);
        }
    }
    return e;
}
static void bodies(void) {
    Body b[6];
    for (int i = 0; i < 6; i++) {
        for (int k = 0; k < 3; k++) b[i].p[k] = frand() * 20 - 10 + i * 5, b[i].v[k] = frand() - 0.5;
        b[i].mass = i ? frand() : 40;
    }
    printf("energy %.9f", energy(b, 6));
    for (int step = 0; step < 20000; step++) {
        for (int i = 0; i < 6; i++)
            for (int j = i + 1; j < 6; j++) {
                double dx = b[i].p[0] - b[j].p[0], dy = b[i].p[1] - b[j].p[1], dz = b[i].p[2] - b[j].p[2];
                double d = dx * dx + dy * dy + dz * dz + 0.01, mag = 0.001 / (d * sqrt(d));
                b[i].v[0] -= dx * b[j].mass * mag, b[i].v[1] -= dy * b[j].mass * mag, b[i].v[2] -= dz * b[j].mass * mag;
                b[j].v[0] += dx * b[i].mass * mag, b[j].v[1] += dy * b[i].mass * mag, b[j].v[2] += dz * b[i].mass * mag;
            }
        for (int i = 0; i < 6; i++) for (int k = 0; k < 3; k++) b[i].p[k] += 0.001 * b[i].v[k];
    }
    printf(" -> %.9f\n", energy(b, 6));
}
static void mandelbrot(void) {
    for (int y = 0; y < 24; y++) {
        for (int x = 0; x < 72; x++) {
            double cr = (x - 50) / 25.0, ci = (y - 12) / 10.0, r = 0, i = 0;
            float fr = 0, fi = 0;
            int n = 0, m = 0;
            while (n < 200 && r * r + i * i < 4) { double t = r * r - i * i + cr; i = 2 * r * i + ci, r = t, n++; }
            while (m < 200 && fr * fr + fi * fi < 4) { float t = fr * fr - fi * fi + (float)cr; fi = 2 * fr * fi + (float)ci, fr = t, m++; }
            mix((uint64_t)(n * 256 + m)), mix_f64(r), mix_f32(fr);
            putchar(" .:-=+*#%@"[n == 200 ? 9 : n % 9]);
        }
        putchar('\n');
    }
}
static double poly(double x) { return ((x - 3) * x + 1) * x - 2.5; }
static void derivs(const double *y, double *d) { d[0] = 10 * (y[1] - y[0]), d[1] = y[0] * (28 - y[2]) - y[1], d[2] = y[0] * y[1] - 8.0 / 3 * y[2]; }
static void small_things(void) {
    double x = 4, lo = 2, hi = 4;
    for (int i = 0; i < 20; i++) x -= poly(x) / ((3 * x - 6) * x + 1);
    while (hi - lo > 1e-14) { double m = (lo + hi) / 2; if (m == lo || m == hi) break; if (poly(m) > 0) hi = m; else lo = m; }
    double s = 0;
    for (int i = 0; i <= 1000; i++) { double t = i / 1000.0; s += (i == 0 || i == 1000 ? 1 : i & 1 ? 4 : 2) / (1 + t * t); }
    printf("newton %.15f bisect %.12f pi %.13f\n", x, lo, 4 * s / 3000);
    double y[3] = {1, 1, 1}, k1[3], k2[3], k3[3], k4[3], t[3];
    for (int i = 0; i < 3000; i++) {
        derivs(y, k1);
        for (int j = 0; j < 3; j++) t[j] = y[j] + 0.005 * k1[j];
        derivs(t, k2);
        for (int j = 0; j < 3; j++) t[j] = y[j] + 0.005 * k2[j];
        derivs(t, k3);
        for (int j = 0; j < 3; j++) t[j] = y[j] + 0.01 * k3[j];
        derivs(t, k4);
        for (int j = 0; j < 3; j++) y[j] += 0.01 / 6 * (k1[j] + 2 * k2[j] + 2 * k3[j] + k4[j]);
    }
    printf("lorenz %.6f %.6f %.6f\n", y[0], y[1], y[2]);
    enum { G = 50 };
    double v[G] = {0}, b[G], r[G], p[G], rr = 0;
    for (int i = 0; i < G; i++) b[i] = r[i] = p[i] = frand(), rr += r[i] * r[i];
    int steps = 0;
    for (; steps < 500 && rr > 1e-20; steps++) {
        double ap[G], pap = 0, next = 0;
        for (int i = 0; i < G; i++) ap[i] = 2.1 * p[i] - (i ? p[i - 1] : 0) - (i < G - 1 ? p[i + 1] : 0), pap += p[i] * ap[i];
        double alpha = rr / pap;
        for (int i = 0; i < G; i++) v[i] += alpha * p[i], r[i] -= alpha * ap[i], next += r[i] * r[i];
        for (int i = 0; i < G; i++) p[i] = r[i] + next / rr * p[i];
        rr = next;
    }
    printf("cg %d steps, %.12f\n", steps, v[25]);
    float fsum = 0, fprod = 1;
    for (int i = 1; i < 2000; i++) fsum += 1.0f / (float)i, fprod *= 1 + 1.0f / (float)(i * i);
    printf("float %.6f %.6f\n", fsum, fprod);
}
int main(void) {
    matrices(), transforms(), bodies(), mandelbrot(), small_things();
    show("numeric");
    return 0;
}

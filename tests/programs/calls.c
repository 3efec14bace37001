/* Calls: recursion of several kinds, function pointers, tables of them, varargs, structs by value, many arguments. */
#include "prog.h"
#include <stdarg.h>

static int ackermann(int m, int n) { return m == 0 ? n + 1 : n == 0 ? ackermann(m - 1, 1) : ackermann(m - 1, ackermann(m, n - 1)); }
static unsigned fib(unsigned n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }
static int is_odd(int n);
static int is_even(int n) { return n == 0 ? 1 : is_odd(n - 1); }
static int is_odd(int n) { return n == 0 ? 0 : is_even(n - 1); }
static void hanoi(int n, int a, int b, int c, int *moves) {
    if (n == 0)
        return;
    hanoi(n - 1, a, c, b, moves);
    ++*moves;
    mix((uint64_t)(a * 16 + b));
    hanoi(n - 1, c, b, a, moves);
}
static int tak(int x, int y, int z) { return y < x ? tak(tak(x - 1, y, z), tak(y - 1, z, x), tak(z - 1, x, y)) : z; }
static uint64_t deep(int n, uint64_t a, double b) {
    volatile uint64_t here[4] = {a, (uint64_t)n, a ^ 5, 1};
    if (n == 0)
        return a + (uint64_t)b;
    uint64_t r = deep(n - 1, a * 3 + here[1], b + 0.5);
    return r ^ here[0] ^ here[2];
}

typedef int (*Op)(int, int);
static int add(int a, int b) { return a + b; }
static int sub(int a, int b) { return a - b; }
static int mul(int a, int b) { return a * b; }
static int divide(int a, int b) { return b ? a / b : 0; }
static int max(int a, int b) { return a > b ? a : b; }
static Op pick(int i) {
    static const Op ops[] = {add, sub, mul, divide, max};
    return ops[i % COUNT(ops)];
}

static double mixed(int a, double b, float c, long long d, unsigned char e, short f, double g, int h, float i, unsigned long long j,
                    double k, double l, double m, double n, double o, int p, int q, int r) {
    return a + b * 2 + c * 3 + (double)d * 4 + e * 5 + f * 6 + g * 7 + h * 8 + i * 9 + (double)j * 10 + k * 11 + l * 12 + m * 13 +
           n * 14 + o * 15 + p * 16 + q * 17 + r * 18;
}

static long long sum(const char *kinds, ...) {
    va_list ap, again;
    va_start(ap, kinds);
    va_copy(again, ap);
    long long total = 0;
    for (int pass = 0; pass < 2; pass++)
        for (const char *k = kinds; *k; k++) {
            va_list *from = pass ? &again : &ap;
            switch (*k) {
            case 'i': total += va_arg(*from, int); break;
            case 'l': total += va_arg(*from, long long) * 3; break;
            case 'd': total += (long long)(va_arg(*from, double) * 100); break;
            case 's': total += (long long)strlen(va_arg(*from, const char *)); break;
            case 'p': total += *va_arg(*from, int *); break;
            }
        }
    va_end(again);
    va_end(ap);
    return total;
}

typedef struct { int x, y; } Point;
typedef struct { double m[2][3]; char tag[5]; } Big;
typedef struct { float f; } One;
typedef struct { char c; short s; long long l; float f; } Odd;
typedef union { uint32_t u; float f; uint8_t b[4]; } Bits;
static Point flip(Point p) { return (Point){p.y, -p.x}; }
static Big scale(Big b, double k) {
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 3; j++)
            b.m[i][j] *= k + i - j;
    b.tag[0]++;
    return b;
}
static One twice(One o) { o.f *= 2; return o; }
static Odd change(Odd o, Point p) { return (Odd){(char)(o.c + 1), (short)(o.s * p.x), o.l - p.y, o.f / 4}; }

typedef struct Shape { const struct Methods *v; double a, b; } Shape;
struct Methods { double (*area)(const Shape *); const char *(*name)(const Shape *); };
static double rect_area(const Shape *s) { return s->a * s->b; }
static double disc_area(const Shape *s) { return 3.0 * s->a * s->a; }
static const char *rect_name(const Shape *s) { return s->a == s->b ? "square" : "rect"; }
static const char *disc_name(const Shape *s) { (void)s; return "disc"; }
static const struct Methods rect = {rect_area, rect_name}, disc = {disc_area, disc_name};

static void apply(int *a, int n, void (*f)(int *, void *), void *arg) {
    for (int i = 0; i < n; i++)
        f(&a[i], arg);
}
static void accumulate(int *x, void *arg) { *(long long *)arg += *x; }
static void rotate(int *x, void *arg) { int t = *x; *x = *(int *)arg; *(int *)arg = t; }
static int compare(const void *a, const void *b) { int x = *(const int *)a, y = *(const int *)b; return (x > y) - (x < y); }
static int compare_down(const void *a, const void *b) { return compare(b, a); }

int main(void) {
    printf("%d %d %d\n", ackermann(2, 9), ackermann(3, 5), tak(14, 8, 3));
    printf("%u %d %d\n", fib(24), is_even(1001), is_odd(777));
    int moves = 0;
    hanoi(12, 1, 2, 3, &moves);
    printf("%d %016llx\n", moves, (unsigned long long)deep(5000, 17, 0.25));
    int v = 1;
    for (int i = 0; i < 1000; i++)
        v = pick(i * 7)(v, i % 13) & 0xffffff;
    printf("%d\n", v);
    printf("%.3f\n", mixed(1, 2, 3, 4, 5, -6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18));
    int forty = 40;
    printf("%lld\n", sum("ildsspiiddl", 1, 2ll, 3.5, "four", "fives", &forty, -6, 7, 8.25, -9.75, -10000000000ll));
    Point p = {3, 4};
    for (int i = 0; i < 5; i++)
        p = flip((Point){p.x + i, p.y});
    Big b = {{{1, 2, 3}, {4, 5, 6}}, "tag"};
    b = scale(scale(b, 2), 0.5);
    One o = twice(twice((One){1.25f}));
    Odd d = change(change((Odd){'a', 7, 1ll << 40, 10}, p), (Point){2, -9});
    printf("%d %d %s %g %g %g\n", p.x, p.y, b.tag, b.m[0][2], b.m[1][0], o.f);
    printf("%c %d %lld %g\n", d.c, d.s, d.l, d.f);
    Bits bits = {.f = -0.15625f};
    printf("%08x %u\n", bits.u, bits.b[3]);
    Shape shapes[] = {{&rect, 2, 3}, {&disc, 2, 0}, {&rect, 4, 4}};
    for (int i = 0; i < COUNT(shapes); i++)
        printf("%s %g\n", shapes[i].v->name(&shapes[i]), shapes[i].v->area(&shapes[i]));
    int a[100];
    for (int i = 0; i < 100; i++)
        a[i] = (int)rnd_below(1000) - 500;
    long long total = 0;
    int carry = 12345;
    apply(a, 100, accumulate, &total);
    apply(a, 100, rotate, &carry);
    qsort(a, 100, sizeof a[0], compare);
    int key = a[37];
    int *hit = bsearch(&key, a, 100, sizeof a[0], compare);
    printf("%lld %d %d\n", total, carry, *hit);
    qsort(a, 100, sizeof a[0], compare_down);
    for (int i = 0; i < 100; i++)
        mix((uint64_t)a[i]);
    show("calls");
    exit(moves & 63);
}

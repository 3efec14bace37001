/* printf and scanf: every conversion with flags, widths, precisions; edge values; and reading back what was printed. */
#include "prog.h"
#include <inttypes.h>
#include <stddef.h>

static char out[600];
#define P(...) (snprintf(out, sizeof out, __VA_ARGS__), mix_text(out), printf("|%s|\n", out))
int main(void) {
    static const int ints[] = {0, 1, -1, 42, -12345, 0x7fffffff, -0x7fffffff - 1};
    for (int i = 0; i < COUNT(ints); i++) {
        int v = ints[i];
        P("%d %i %u %x %X %o %#x %#o", v, v, v, v, v, v, v, v);
        P("%5d|%-5d|%05d|%+d|% d|%.3d|%8.5d|%-8.5d|%+08d", v, v, v, v, v, v, v, v, v);
        P("%hhd %hd %hhu %hu %c", (signed char)v, (short)v, (unsigned char)v, (unsigned short)v, (v & 63) + 48);
        P("%*d|%-*d|%.*d", 9, v, 9, v, 4, v);
    }
    static const long long longs[] = {0, -1, 1234567890123456789ll, 0x7fffffffffffffffll, -0x7fffffffffffffffll - 1};
    for (int i = 0; i < COUNT(longs); i++) P("%lld %llu %llx %llo %20lld|%-22lld|%+lld %jd %" PRIx64, longs[i], longs[i], longs[i], longs[i], longs[i], longs[i], longs[i], (intmax_t)longs[i], (uint64_t)longs[i]);
    P("%s|%10s|%-10s|%.2s|%10.3s|%s", "text", "text", "text", "text", "text", "");
    P("%c%c%%%5c|%-5c|", 'a', 'b', 'c', 'd');
    int n1 = 0, n2 = 0;
    n1 = snprintf(out, 5, "%s", "longer than five");
    n2 = snprintf(NULL, 0, "%d %s", 12345, "abc");
    printf("%d '%s' %d\n", n1, out, n2);
    static const double doubles[] = {0.0, -0.0, 1.0, -1.5, 0.1, 123456.789, 1e21, 1e-7, 9.995, 0.5, 1.5, 2.5, 1e15, 1e16, 999998.5, 1e100, 3.0e-310, 1.7976931348623157e308};
    for (int i = 0; i < COUNT(doubles); i++) {
        double d = doubles[i];
        P("%f %e %g %.0f %.1f %.2e %.10g", d, d, d, d, d, d, d);
        P("%12.4f|%-12.4f|%012.4f|%+.3f|% .3f|%#.0f|%#g|%G %E", d, d, d, d, d, d, d, d, d);
        double back = 0;
        snprintf(out, sizeof out, "%.17g", d);
        sscanf(out, "%lf", &back);
        if (memcmp(&back, &d, 8)) printf("not the same: %s\n", out);
    }
    for (int i = 0; i < 3000; i++) {
        uint64_t u = rnd();
        double d, back;
        float f, fback;
        memcpy(&d, &u, 8);
        if (d != d) continue;
        snprintf(out, sizeof out, "%.17g", d), back = strtod(out, NULL), mix_text(out);
        if (back != d) printf("double not the same: %s\n", out);
        f = (float)(int32_t)u / 1024.0f / (float)(1 + (u >> 40));
        snprintf(out, sizeof out, "%.9g", f), fback = strtof(out, NULL), mix_text(out);
        if (fback != f) printf("float not the same: %s\n", out);
        snprintf(out, sizeof out, "%.*f %.*e", (int)(u % 12), f * 1.0, (int)(u % 9), f * 1.0), mix_text(out);
    }
    int a, b, got;
    unsigned x;
    char word[20], rest[40], set[20], c;
    long long big;
    short sh;
    signed char by;
    got = sscanf("  -42,17 0xBEEF hello [abc] Z 99999999999 77 5", "%d,%d %x %19s [%19[a-c]] %c %lld %hd %hhd", &a, &b, &x, word, set, &c, &big, &sh, &by);
    printf("%d: %d %d %x %s %s %c %lld %d %d\n", got, a, b, x, word, set, c, big, sh, by);
    got = sscanf("12345abc", "%3d%2d%39s", &a, &b, rest);
    printf("%d: %d %d %s\n", got, a, b, rest);
    got = sscanf("x", "%d", &a);
    printf("%d %d\n", got, sscanf("", "%d", &a));
    got = sscanf("skip 7 keep 8", "%*s %*d %19s %n%d", word, &b, &a);
    printf("%d: %s %d %d\n", got, word, a, b);
    got = sscanf("key = value # note", "%19[^= ] = %39[^#]", word, rest);
    printf("%d: '%s' '%s'\n", got, word, rest);
    show("formats");
    return 0;
}

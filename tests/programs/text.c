/* Text layout: filling, justifying, centring, a table with wrapped cells, Roman numerals, numbers in words, base64, run-length art, Caesar and
 * Vigenere, Morse, word statistics. */
#include "prog.h"

static const char story[] = "It was a bright cold day and the clocks were striking thirteen when a compiler, which had slept through the whole of the winter, "
    "woke up and began to translate. Nobody had asked it to; there was simply nothing else on the machine to do, and idleness is unbecoming.";
static void fill(int width, int justify) {
    const char *p = story;
    while (*p) {
        const char *words[40];
        int length[40], n = 0, used = 0;
        while (*p && n < 40) {
            int k = (int)strcspn(p, " ");
            if (n && used + k + n > width) break;
            words[n] = p, length[n++] = k, used += k, p += k;
            while (*p == ' ') p++;
        }
        int gaps = n - 1, spaces = justify && *p ? width - used : gaps;
        char line[120], *o = line;
        for (int i = 0; i < n; i++) {
            memcpy(o, words[i], (size_t)length[i]), o += length[i];
            if (i < gaps) for (int s = spaces * (i + 1) / gaps - spaces * i / gaps; s-- > 0;) *o++ = ' ';
        }
        *o = 0;
        mix_text(line);
        printf("%*s%s|\n", justify == 2 ? (width - (int)strlen(line)) / 2 : 0, "", line);
    }
}
static void roman(int n, char *o) {
    static const struct { int v; const char *s; } t[] = {{1000, "M"}, {900, "CM"}, {500, "D"}, {400, "CD"}, {100, "C"}, {90, "XC"}, {50, "L"}, {40, "XL"}, {10, "X"}, {9, "IX"}, {5, "V"}, {4, "IV"}, {1, "I"}};
    *o = 0;
    for (int i = 0; i < COUNT(t); i++) while (n >= t[i].v) strcat(o, t[i].s), n -= t[i].v;
}
static void words(uint64_t n, char *o) {
    static const char *const ones[] = {"", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"};
    static const char *const tens[] = {"", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"};
    static const struct { uint64_t v; const char *s; } big[] = {{1000000000000000000ull, "quintillion"}, {1000000000000000ull, "quadrillion"}, {1000000000000ull, "trillion"}, {1000000000, "billion"}, {1000000, "million"}, {1000, "thousand"}, {100, "hundred"}};
    for (int i = 0; i < COUNT(big); i++) if (n >= big[i].v) { words(n / big[i].v, o), sprintf(o + strlen(o), "%s ", big[i].s), n %= big[i].v; }
    if (n >= 20) sprintf(o + strlen(o), "%s ", tens[n / 10]), n %= 10;
    if (n) sprintf(o + strlen(o), "%s ", ones[n]);
}
static const char code64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static void encode(const uint8_t *p, int n, char *o) {
    for (int i = 0; i < n; i += 3) {
        uint32_t v = (uint32_t)p[i] << 16 | (i + 1 < n ? (uint32_t)p[i + 1] << 8 : 0) | (i + 2 < n ? p[i + 2] : 0);
        *o++ = code64[v >> 18], *o++ = code64[v >> 12 & 63], *o++ = i + 1 < n ? code64[v >> 6 & 63] : '=', *o++ = i + 2 < n ? code64[v & 63] : '=';
    }
    *o = 0;
}
static int decode(const char *s, uint8_t *o) {
    int n = 0;
    for (uint32_t v = 0, k = 0; *s && *s != '='; s++) { v = v << 6 | (uint32_t)(strchr(code64, *s) - code64); k += 6; if (k >= 8) k -= 8, o[n++] = (uint8_t)(v >> k); }
    return n;
}
int main(void) {
    for (int w = 30; w < 80; w += 23) fill(w, 0), fill(w, 1), fill(w, 2);
    char t[700];
    for (int i = 1; i < 4000; i += 37) { roman(i, t), mix_text(t); if (i % 5 == 0) printf("%s ", t); }
    printf("\n");
    for (int i = 0; i < 20; i++) { t[0] = 0; words(rnd() >> (i * 3), t), mix_text(t); printf("%s\n", t); }
    int bad = 0;
    for (int n = 0; n < 100; n++) { uint8_t p[100], q[110]; for (int i = 0; i < n; i++) p[i] = (uint8_t)rnd(); encode(p, n, t), mix_text(t); bad += decode(t, q) != n || memcmp(p, q, (size_t)n); }
    char c[sizeof story];
    for (int shift = 1; shift < 26; shift += 6) {
        for (int i = 0; i < (int)sizeof story; i++) { char x = story[i]; c[i] = x >= 'a' && x <= 'z' ? (char)((x - 'a' + shift) % 26 + 'a') : x >= 'A' && x <= 'Z' ? (char)((x - 'A' + shift) % 26 + 'A') : x; }
        mix_text(c);
        int count[26] = {0}, best = 0;
        for (int i = 0; c[i]; i++) if (c[i] >= 'a' && c[i] <= 'z') count[c[i] - 'a']++;
        for (int i = 0; i < 26; i++) if (count[i] > count[best]) best = i;
        printf("most common with shift %d: %c\n", shift, 'a' + best);
    }
    show("text");
    return bad;
}

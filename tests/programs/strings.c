/* The string library against own versions, over every alignment and many lengths; tokens, numbers, searches, UTF-8, edit distance, KMP,
 * Boyer-Moore-Horspool, Rabin-Karp, longest common subsequence, suffix array. */
#include "prog.h"
#include <ctype.h>

static int naive(const char *t, const char *p) {
    for (int i = 0; t[i] || !*p; i++) {
        int k = 0;
        while (p[k] && t[i + k] == p[k]) k++;
        if (!p[k]) return i;
        if (!t[i]) break;
    }
    return -1;
}
static int kmp(const char *t, const char *p) {
    int fail[64], m = (int)strlen(p), k = 0;
    if (!m) return 0;
    fail[0] = 0;
    for (int i = 1; i < m; i++) { while (k && p[i] != p[k]) k = fail[k - 1]; fail[i] = k += p[i] == p[k]; }
    k = 0;
    for (int i = 0; t[i]; i++) { while (k && t[i] != p[k]) k = fail[k - 1]; k += t[i] == p[k]; if (k == m) return i - m + 1; }
    return -1;
}
static int horspool(const char *t, const char *p) {
    int m = (int)strlen(p), n = (int)strlen(t), skip[256];
    if (!m) return 0;
    for (int i = 0; i < 256; i++) skip[i] = m;
    for (int i = 0; i < m - 1; i++) skip[(uint8_t)p[i]] = m - 1 - i;
    for (int i = 0; i + m <= n; i += skip[(uint8_t)t[i + m - 1]]) if (!memcmp(t + i, p, (size_t)m)) return i;
    return -1;
}
static int karp(const char *t, const char *p) {
    int m = (int)strlen(p), n = (int)strlen(t);
    uint32_t hp = 0, ht = 0, top = 1;
    if (m > n) return -1;
    for (int i = 0; i < m; i++) hp = hp * 257 + (uint8_t)p[i], ht = ht * 257 + (uint8_t)t[i], top *= i ? 257 : 1;
    for (int i = 0;; i++) {
        if (hp == ht && !memcmp(t + i, p, (size_t)m)) return i;
        if (i + m >= n) return -1;
        ht = (ht - (uint8_t)t[i] * top) * 257 + (uint8_t)t[i + m];
    }
}
static int edit(const char *a, const char *b) {
    int row[64], n = (int)strlen(b);
    for (int j = 0; j <= n; j++) row[j] = j;
    for (int i = 1; a[i - 1]; i++) {
        int diag = row[0];
        row[0] = i;
        for (int j = 1; j <= n; j++) {
            int t = row[j], c = diag + (a[i - 1] != b[j - 1]);
            if (row[j] + 1 < c) c = row[j] + 1;
            if (row[j - 1] + 1 < c) c = row[j - 1] + 1;
            row[j] = c, diag = t;
        }
    }
    return row[n];
}
static const char *suffix_text;
static int by_suffix(const void *a, const void *b) { return strcmp(suffix_text + *(const int *)a, suffix_text + *(const int *)b); }
static int decode(const uint8_t **p) {
    const uint8_t *s = *p;
    int n = *s < 0x80 ? 0 : *s >= 0xf0 && *s < 0xf5 ? 3 : *s >= 0xe0 ? 2 : *s >= 0xc2 ? 1 : -1;
    if (n < 0 || *s >= 0xf5) { ++*p; return -1; }
    int c = n ? *s & (0x3f >> n) : *s;
    for (int i = 1; i <= n; i++) { if ((s[i] & 0xc0) != 0x80) { ++*p; return -1; } c = c << 6 | (s[i] & 0x3f); }
    *p += n + 1;
    return c;
}
int main(void) {
    int bad = 0;
    char t[300], p[20];
    for (int i = 0; i < 2000; i++) {
        int n = (int)rnd_below(200), m = 1 + (int)rnd_below(6);
        for (int k = 0; k < n; k++) t[k] = (char)('a' + rnd_below(3));
        for (int k = 0; k < m; k++) p[k] = (char)('a' + rnd_below(3));
        t[n] = p[m] = 0;
        char *hit = strstr(t, p);
        int want = hit ? (int)(hit - t) : -1;
        bad += naive(t, p) != want || kmp(t, p) != want || horspool(t, p) != want || karp(t, p) != want;
        mix((uint64_t)want);
        hit = strrchr(t, p[0]);
        mix((uint64_t)(hit ? hit - t : -1) ^ strspn(t, "ab") << 8 ^ strcspn(t, "c") << 16 ^ strlen(t) << 24);
    }
    printf("searches bad %d\n", bad);
    char a[64], b[64];
    for (int from = 0; from < 9; from++)
        for (int n = 0; n < 40; n++) {
            memset(a, 'x', sizeof a), memset(b, 'x', sizeof b);
            for (int i = 0; i < n; i++) a[from + i] = b[i] = (char)('a' + i % 26);
            a[from + n] = b[n] = 0;
            bad += strlen(a + from) != (size_t)n || strcmp(a + from, b) != 0 || (n && strchr(a + from, b[n - 1]) == NULL);
            if (n) { b[n / 2]++; bad += strcmp(a + from, b) >= 0 || strncmp(a + from, b, (size_t)(n / 2)) != 0 || memcmp(b, a + from, (size_t)n) <= 0; }
        }
    printf("library bad %d\n", bad);
    char text[] = "one,two;;three four,,five";
    for (char *save, *w = strtok_r(text, ",; ", &save); w; w = strtok_r(NULL, ",; ", &save)) printf("[%s]", w);
    printf("\n%d %d %d\n", edit("kitten", "sitting"), edit("", "abc"), edit("intention", "execution"));
    static const char *const numbers[] = {"0", "-1", "  42abc", "0x7fffffff", "077", "99999999999", "-99999999999999999999", "zz", "+5", "2147483648"};
    for (int i = 0; i < COUNT(numbers); i++) {
        char *end;
        long long v = strtoll(numbers[i], &end, 0);
        printf("%lld '%s' %llu; ", v, end, strtoull(numbers[i], NULL, 36));
    }
    printf("\n");
    suffix_text = "mississippi river in mississippi";
    int order[40], n = (int)strlen(suffix_text);
    for (int i = 0; i < n; i++) order[i] = i;
    qsort(order, (size_t)n, sizeof *order, by_suffix);
    for (int i = 0; i < n; i++) printf("%d ", order[i]);
    printf("\n");
    static const uint8_t utf[] = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xff\xc0\x80\xe2\x82z";
    for (const uint8_t *s = utf; *s;) printf("%d ", decode(&s));
    int classes[12] = {0};
    for (int c = 0; c < 128; c++) {
        classes[0] += !!isalpha(c), classes[1] += !!isdigit(c), classes[2] += !!isspace(c), classes[3] += !!ispunct(c), classes[4] += !!isprint(c);
        classes[5] += !!isxdigit(c), classes[6] += !!iscntrl(c), classes[7] += !!isgraph(c), classes[8] += toupper(c), classes[9] += tolower(c);
    }
    for (int i = 0; i < 10; i++) printf("%d ", classes[i]);
    printf("\n");
    show("strings");
    return bad;
}

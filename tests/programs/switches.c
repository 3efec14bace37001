/* Switches of every shape: dense, sparse, huge, nested, with fall-through, on 64 bits, and state machines made of goto. */
#include "prog.h"

static int dense(int x) {
    switch (x) {
    case -3: return 11;
    case -2: return 5;
    case -1: return 17;
    case 0: return 100;
    case 1: x += 3; /* fall through */
    case 2: x *= 7; /* fall through */
    case 3: return x - 1;
    case 4: case 5: case 6: return x * x;
    case 7: return 3;
    case 9: return 8;
    case 10: return -x;
    default: return 1;
    }
}

static int sparse(int x) {
    switch (x) {
    case -2000000000: return 1;
    case -77777: return 2;
    case 0: return 3;
    case 12: return 4;
    case 1000: return 5;
    case 1001: return 6;
    case 1003: return 7;
    case 65536: return 8;
    case 1 << 20: return 9;
    case 0x7fffffff: return 10;
    case (int)0x80000000: return 11;
    }
    return 12;
}

static int wide(long long x) {
    switch (x) {
    case 0x100000000ll: return 1;
    case 0x100000001ll: return 2;
    case 0x100000002ll: return 3;
    case 0x100000003ll: return 4;
    case 0x7fffffffffffffffll: return 5;
    case -1: return 6;
    case 2: return 7;
    case 0x8000000000000000ll: return 8;
    default: return 0;
    }
}

static unsigned narrow(unsigned char x) {
    switch (x) {
    case 'a' ... 'z': return 1;
    case 'A' ... 'Z': return 2;
    case '0' ... '9': return 3;
    case ' ': case '\t': case '\n': return 4;
    case 128 ... 255: return 5;
    case 0: return 6;
    default: return 7;
    }
}

#define C1(n) case n: return (n) * 2654435761u ^ x;
#define C4(n) C1(n) C1(n + 1) C1(n + 2) C1(n + 3)
#define C16(n) C4(n) C4(n + 4) C4(n + 8) C4(n + 12)
#define C64(n) C16(n) C16(n + 16) C16(n + 32) C16(n + 48)
#define C256(n) C64(n) C64(n + 64) C64(n + 128) C64(n + 192)
static uint32_t huge(uint32_t n, uint32_t x) {
    switch (n) {
        C256(0) C256(256) C256(512) C256(768)
    }
    return 99;
}

/* A scanner written with labels only. */
static int scan(const char *s, int *words, int *numbers) {
    int depth = 0;
    *words = *numbers = 0;
start:
    if (*s == 0) goto done;
    if (*s == '(') { depth++; s++; goto start; }
    if (*s == ')') { depth--; s++; if (depth < 0) goto bad; goto start; }
    if (*s >= '0' && *s <= '9') goto number;
    if ((*s >= 'a' && *s <= 'z') || *s == '_') goto word;
    if (*s == '"') goto text;
    s++;
    goto start;
number:
    s++;
    if (*s >= '0' && *s <= '9') goto number;
    if (*s == '.') goto fraction;
    ++*numbers;
    goto start;
fraction:
    s++;
    if (*s >= '0' && *s <= '9') goto fraction;
    *numbers += 100;
    goto start;
word:
    s++;
    if ((*s >= 'a' && *s <= 'z') || *s == '_' || (*s >= '0' && *s <= '9')) goto word;
    ++*words;
    goto start;
text:
    s++;
    if (*s == 0) goto bad;
    if (*s == '\\' && s[1]) { s++; goto text; }
    if (*s != '"') goto text;
    s++;
    *words += 1000;
    goto start;
bad:
    return -1;
done:
    return depth;
}

/* An irreducible loop: two entries into one cycle. */
static uint32_t irreducible(uint32_t x, int into) {
    int n = 0;
    if (into) goto middle;
top:
    x = x * 1664525 + 1013904223;
    if (x % 7 == 3) goto out;
middle:
    x ^= x >> 11;
    if (++n > 200) goto out;
    if (x & 1) goto top;
    x += 0x9e3779b9;
    if (x & 2) goto middle;
    goto top;
out:
    return x + (uint32_t)n;
}

static int nested(int a, int b, int c) {
    int r = 0;
    for (int i = 0; i < 4; i++) {
        switch (a) {
        case 0:
            switch (b) {
            case 0: r += 1; break;
            case 1: if (c) continue; r += 2; break;
            case 2: r += 3; /* fall through */
            default: switch (c + i) { case 1: r ^= 5; break; case 2: r ^= 9; break; case 3: goto next; default: r--; }
            }
            break;
        case 1: while (b-- > 0) { if (b == c) break; r += b; } break;
        case 2: do { r += 7; if (r % 3 == 0) goto next; } while (--c > 0); break;
        default: return r;
        }
        a = (a + r) & 3;
    next:
        r = r * 3 + i;
    }
    return r;
}

/* Duff's device. */
static void duff(char *to, const char *from, int count) {
    int n = (count + 7) / 8;
    switch (count % 8) {
    case 0: do { *to++ = *from++; /* fall through */
    case 7: *to++ = *from++; /* fall through */
    case 6: *to++ = *from++; /* fall through */
    case 5: *to++ = *from++; /* fall through */
    case 4: *to++ = *from++; /* fall through */
    case 3: *to++ = *from++; /* fall through */
    case 2: *to++ = *from++; /* fall through */
    case 1: *to++ = *from++; } while (--n > 0);
    }
}

int main(void) {
    for (int i = -20; i < 30; i++)
        mix((uint64_t)dense(i));
    show("dense");
    static const int keys[] = {-2000000000, -77777, -1, 0, 1, 11, 12, 13, 999, 1000, 1001, 1002, 1003, 1004, 65536, 1 << 20, 0x7fffffff, -0x7fffffff - 1};
    for (int i = 0; i < COUNT(keys); i++)
        printf("%d ", sparse(keys[i]));
    static const long long wides[] = {0, 1, 2, 0x100000000ll, 0x100000001ll, 0x100000002ll, 0x100000003ll, 0x100000004ll, 0x7fffffffffffffffll, -1, -0x7fffffffffffffffll - 1};
    for (int i = 0; i < COUNT(wides); i++)
        printf("%d ", wide(wides[i]));
    printf("\n");
    for (int i = 0; i < 256; i++)
        mix(narrow((unsigned char)i));
    for (uint32_t i = 0; i < 1200; i++)
        mix(huge(i, i * 77));
    mix(huge(0xffffffff, 1)), mix(huge(0x80000000, 1));
    show("huge");
    static const char *const texts[] = {"", "a b c", "(foo 12 3.5)", "((x)", ")(", "\"a\\\"b\" c", "\"open", "12 13 14 a_b9 __"};
    for (int i = 0; i < COUNT(texts); i++) {
        int w, n, d = scan(texts[i], &w, &n);
        printf("%d %d %d; ", d, w, n);
    }
    printf("\n");
    for (uint32_t i = 0; i < 500; i++)
        mix(irreducible(i, i & 1));
    for (int a = -1; a < 5; a++)
        for (int b = -1; b < 5; b++)
            for (int c = 0; c < 5; c++)
                mix((uint64_t)nested(a, b, c));
    char buffer[64] = {0};
    for (int n = 1; n < 40; n++) {
        memset(buffer, 'z', 60);
        duff(buffer, "the quick brown fox jumps over the lazy dog", n);
        mix_text(buffer);
    }
    show("all");
    return 3;
}

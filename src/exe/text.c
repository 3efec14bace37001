/* exe/text.c — memory and strings, messages. memcpy, memmove and memset also serve the program: memory.copy and memory.fill.
 *
 * Copying: up to 32 bytes by overlapping moves from both ends; up to REP bytes by 32 at a time; beyond that by the processor's string
 * instructions, which are fastest there. */
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

typedef uint8_t V16 __attribute__((vector_size(16), aligned(1), may_alias));
typedef uint64_t U8 __attribute__((aligned(1), may_alias));
typedef uint32_t U4 __attribute__((aligned(1), may_alias));
typedef uint16_t U2 __attribute__((aligned(1), may_alias));
enum { REP = 1024 };

/* Both ends are read before either is written, so the order does not matter: at most 32 bytes. */
static inline void move_few(uint8_t *d, const uint8_t *s, size_t n) {
#define ENDS(T)                                               \
    T a = *(const T *)s, b = *(const T *)(s + n - sizeof(T)); \
    *(T *)d = a;                                              \
    *(T *)(d + n - sizeof(T)) = b
    if (n >= 16) {
        ENDS(V16);
    } else if (n >= 8) {
        ENDS(U8);
    } else if (n >= 4) {
        ENDS(U4);
    } else if (n >= 2) {
        ENDS(U2);
    } else if (n) {
        *d = *s;
    }
#undef ENDS
}

void *memmove(void *to, const void *from, size_t n) {
    uint8_t *d = to;
    const uint8_t *s = from;
    if (n <= 32) {
        move_few(d, s, n);
        return to;
    }
    if ((uintptr_t)d - (uintptr_t)s >= n) { /* forwards is right, also if they overlap */
        if (n >= REP) {
            __asm__ volatile("rep movsb" : "+D"(d), "+S"(s), "+c"(n) : : "memory");
            return to;
        }
        V16 last0 = *(const V16 *)(s + n - 32), last1 = *(const V16 *)(s + n - 16);
        uint8_t *end = d + n;
        for (; end - d > 32; d += 32, s += 32) {
            V16 a = *(const V16 *)s, b = *(const V16 *)(s + 16);
            *(V16 *)d = a;
            *(V16 *)(d + 16) = b;
        }
        *(V16 *)(end - 32) = last0;
        *(V16 *)(end - 16) = last1;
        return to;
    }
    V16 first0 = *(const V16 *)s, first1 = *(const V16 *)(s + 16);
    for (size_t k = n; k > 32; k -= 32) {
        V16 a = *(const V16 *)(s + k - 16), b = *(const V16 *)(s + k - 32);
        *(V16 *)(d + k - 16) = a;
        *(V16 *)(d + k - 32) = b;
    }
    *(V16 *)d = first0;
    *(V16 *)(d + 16) = first1;
    return to;
}

void *memcpy(void *restrict to, const void *restrict from, size_t n) {
    return memmove(to, from, n);
}

void *memset(void *to, int c, size_t n) {
    uint8_t *d = to;
    uint64_t x = (uint8_t)c * UINT64_C(0x0101010101010101);
    if (n < 16) {
        if (n >= 8)
            *(U8 *)d = *(U8 *)(d + n - 8) = x;
        else if (n >= 4)
            *(U4 *)d = *(U4 *)(d + n - 4) = (uint32_t)x;
        else
            for (size_t i = 0; i < n; i++) ((volatile uint8_t *)d)[i] = (uint8_t)x;
        return to;
    }
    if (n >= REP) {
        __asm__ volatile("rep stosb" : "+D"(d), "+c"(n) : "a"(c) : "memory");
        return to;
    }
    V16 v = (V16){0} + (uint8_t)c;
    for (uint8_t *end = d + n - 16; d < end; d += 16) *(V16 *)d = v;
    *(V16 *)((uint8_t *)to + n - 16) = v;
    return to;
}

int memcmp(const void *a, const void *b, size_t n) {
    const uint8_t *x = a, *y = b;
    for (; n >= 8 && *(const U8 *)x == *(const U8 *)y; n -= 8) x += 8, y += 8;
    for (; n; n--, x++, y++)
        if (*x != *y) return *x - *y;
    return 0;
}

int bcmp(const void *a, const void *b, size_t n) {
    return memcmp(a, b, n);
}

void *memchr(const void *p, int c, size_t n) {
    const uint8_t *s = p;
    for (; n; n--, s++)
        if (*s == (uint8_t)c) return (void *)(uintptr_t)s;
    return NULL;
}

size_t strlen(const char *s) {
    size_t n = 0;
    while (((const volatile char *)s)[n]) n++; /* volatile: or this becomes a call of strlen */
    return n;
}
int strcmp(const char *a, const char *b) {
    for (; *a && *a == *b; a++, b++) {
    }
    return (uint8_t)*a - (uint8_t)*b;
}
int strncmp(const char *a, const char *b, size_t n) {
    for (; n && *a && *a == *b; a++, b++, n--) {
    }
    return n ? (uint8_t)*a - (uint8_t)*b : 0;
}
char *strchr(const char *s, int c) {
    for (; *s != (char)c; s++)
        if (!*s) return NULL;
    return (char *)(uintptr_t)s;
}
char *strrchr(const char *s, int c) {
    const char *last = NULL;
    for (;; s++) {
        if (*s == (char)c) last = s;
        if (!*s) return (char *)(uintptr_t)last;
    }
}
size_t strspn(const char *s, const char *set) {
    size_t n = 0;
    while (s[n] && strchr(set, s[n])) n++;
    return n;
}
size_t strcspn(const char *s, const char *set) {
    size_t n = 0;
    while (s[n] && !strchr(set, s[n])) n++;
    return n;
}
char *stpcpy(char *restrict to, const char *restrict from) {
    size_t n = strlen(from);
    memcpy(to, from, n + 1);
    return to + n;
}

/* ---- formats: d u x s c and %, with flag 0, width, precision, sizes l ll z ---- */
typedef struct Out {
    char *p;
    size_t n, room; /* n may go beyond room */
} Out;

static void put(Out *o, const char *s, size_t n) {
    for (; n; n--, s++, o->n++)
        if (o->n < o->room) o->p[o->n] = *s;
}
static void fill(Out *o, char c, int n) {
    for (; n > 0; n--) put(o, &c, 1);
}

static void number(Out *o, uint64_t x, bool negative, unsigned radix, bool zeros, int width) {
    char text[24], *p = text + sizeof text;
    do {
        *--p = "0123456789abcdef"[x % radix];
        x /= radix;
    } while (x);
    int n = (int)(text + sizeof text - p) + negative;
    if (!zeros) fill(o, ' ', width - n);
    if (negative) put(o, "-", 1);
    if (zeros) fill(o, '0', width - n);
    put(o, p, (size_t)(n - negative));
}

int vsnprintf(char *restrict to, size_t room, const char *restrict f, va_list ap) {
    Out o = {to, 0, room ? room - 1 : 0};
    for (; *f; f++) {
        if (*f != '%') {
            put(&o, f, 1);
            continue;
        }
        bool zeros = *++f == '0';
        int width = 0, most = -1;
        for (; *f >= '0' && *f <= '9'; f++) width = 10 * width + *f - '0';
        if (*f == '.') {
            most = 0;
            if (*++f == '*') {
                most = va_arg(ap, int);
                f++;
            }
            for (; *f >= '0' && *f <= '9'; f++) most = 10 * most + *f - '0';
        }
        bool wide = false;
        for (; *f == 'l' || *f == 'z'; f++) wide = true;
        switch (*f) {
        case 'd': {
            int64_t x = wide ? va_arg(ap, long) : va_arg(ap, int);
            number(&o, x < 0 ? 0 - (uint64_t)x : (uint64_t)x, x < 0, 10, zeros, width);
            break;
        }
        case 'u':
        case 'x': {
            uint64_t x = wide ? va_arg(ap, unsigned long) : va_arg(ap, unsigned);
            number(&o, x, false, *f == 'x' ? 16 : 10, zeros, width);
            break;
        }
        case 's': {
            const char *s = va_arg(ap, const char *);
            size_t n = 0;
            while ((most < 0 || n < (size_t)most) && s[n]) n++;
            fill(&o, ' ', width - (int)n);
            put(&o, s, n);
            break;
        }
        case 'c': {
            char c = (char)va_arg(ap, int);
            put(&o, &c, 1);
            break;
        }
        case '%': put(&o, "%", 1); break;
        default: __builtin_trap(); /* a format that nothing here uses */
        }
    }
    if (room) to[o.n < room ? o.n : room - 1] = 0;
    return (int)o.n;
}

int snprintf(char *restrict to, size_t room, const char *restrict f, ...) {
    va_list ap;
    va_start(ap, f);
    int n = vsnprintf(to, room, f, ap);
    va_end(ap);
    return n;
}

/* ---- streams: standard error, without a buffer ---- */
FILE *stdout, *stderr;

int vfprintf(FILE *restrict file, const char *restrict f, va_list ap) {
    char text[2048];
    int n = vsnprintf(text, sizeof text, f, ap);
    (void)file;
    return (int)write(2, text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1);
}
int fprintf(FILE *restrict file, const char *restrict f, ...) {
    va_list ap;
    va_start(ap, f);
    int n = vfprintf(file, f, ap);
    va_end(ap);
    return n;
}
int fputc(int c, FILE *file) {
    char b = (char)c;
    (void)file;
    return write(2, &b, 1) == 1 ? c : EOF;
}
int fflush(FILE *file) {
    (void)file;
    return 0;
}

char *strerror(int e) {
    static const char *const text[] = {
        [EPERM] = "Operation not permitted",   [ENOENT] = "No such file or directory",
        [EIO] = "Input/output error",          [ENOMEM] = "Cannot allocate memory",
        [EACCES] = "Permission denied",        [ENOTDIR] = "Not a directory",
        [EINVAL] = "Invalid argument",         [EMFILE] = "Too many open files",
        [ENAMETOOLONG] = "File name too long", [ELOOP] = "Too many levels of symbolic links"};
    static char other[32];
    if (e >= 0 && (size_t)e < sizeof text / sizeof *text && text[e])
        return (char *)(uintptr_t)text[e];
    snprintf(other, sizeof other, "error %d of the system", e);
    return other;
}

int __popcountdi2(int64_t x);
int __popcountdi2(int64_t x) {
    uint64_t v = (uint64_t)x;
    int n = 0;
    for (; v; v &= v - 1) n++;
    return n;
}

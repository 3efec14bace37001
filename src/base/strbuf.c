/* base/strbuf.c — text builder over a Mem. Room for the NUL is kept beyond `n` at all times. */
#include "base/strbuf.h"

#include <stdio.h>

void sb_init(StrBuf *sb, Mem *m) {
    *sb = (StrBuf){.mem = m};
}

void sb_free(StrBuf *sb) {
    mem_free(sb->mem, sb->p, sb->cap);
    sb_init(sb, sb->mem);
}

void sb_clear(StrBuf *sb) {
    sb->n = 0;
    if (sb->p) sb->p[0] = 0;
}

/* Makes room for k more characters and the NUL. */
static char *room(StrBuf *sb, size_t k) {
    vec_reserve(sb->mem, sb, (uint64_t)sb->n + k + 1);
    return sb->p + sb->n;
}

void sb_putc(StrBuf *sb, char c) {
    char *p = room(sb, 1);
    p[0] = c;
    p[1] = 0;
    sb->n++;
}

void sb_putn(StrBuf *sb, const char *s, size_t n) {
    char *p = room(sb, n);
    if (n) memcpy(p, s, n);
    p[n] = 0;
    sb->n += (uint32_t)n;
}

void sb_puts(StrBuf *sb, const char *s) {
    sb_putn(sb, s, strlen(s));
}

void sb_vprintf(StrBuf *sb, const char *fmt, va_list ap) {
    va_list again;
    va_copy(again, ap);
    char *p = room(sb, 64);
    uint32_t space = sb->cap - sb->n;
    int k = vsnprintf(p, space, fmt, ap);
    if (k >= 0 && (uint32_t)k >= space) {
        p = room(sb, (size_t)k);
        vsnprintf(p, (size_t)k + 1, fmt, again);
    }
    va_end(again);
    if (k > 0) sb->n += (uint32_t)k;
    sb->p[sb->n] = 0;
}

void sb_printf(StrBuf *sb, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    sb_vprintf(sb, fmt, ap);
    va_end(ap);
}

static void put_radix(StrBuf *sb, uint64_t x, unsigned radix) {
    char tmp[20], *p = tmp + sizeof tmp;
    do *--p = "0123456789abcdef"[x % radix];
    while (x /= radix);
    sb_putn(sb, p, (size_t)(tmp + sizeof tmp - p));
}

void sb_u64(StrBuf *sb, uint64_t x) {
    put_radix(sb, x, 10);
}
void sb_hex(StrBuf *sb, uint64_t x) {
    put_radix(sb, x, 16);
}

void sb_pad_to(StrBuf *sb, uint32_t col) {
    uint32_t bol = sb->n;
    while (bol && sb->p[bol - 1] != '\n') bol--;
    uint32_t at = sb->n - bol;
    if (at >= col) return;
    char *p = room(sb, col - at);
    memset(p, ' ', col - at);
    p[col - at] = 0;
    sb->n += col - at;
}

const char *sb_cstr(StrBuf *sb) {
    return sb->p ? sb->p : "";
}

void sb_put_visible(StrBuf *sb, const char *s, uint32_t size) {
    enum { MOST = 200 };
    uint32_t n = size < MOST ? size : MOST;
    while (n < size && n && ((uint8_t)s[n] & 0xC0) == 0x80) n--; /* whole characters */
    for (uint32_t k = 0; k < n; k++) {
        uint8_t c = (uint8_t)s[k];
        bool c1 = c == 0xC2 && k + 1 < n && (uint8_t)s[k + 1] < 0xA0; /* U+0080 to U+009F */
        if (c < 0x20 || c == 0x7F || c == '\\' || c1)
            sb_printf(sb, "\\%02x", c);
        else if (k && c < 0xA0 && c >= 0x80 && (uint8_t)s[k - 1] == 0xC2)
            sb_printf(sb, "\\%02x", c);
        else
            sb_putn(sb, s + k, 1);
    }
    if (n < size) sb_puts(sb, "...");
}

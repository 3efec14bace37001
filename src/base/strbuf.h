/* base/strbuf.h — text builder. Always NUL-terminated after the first append. No locale dependence. */
#ifndef COT_BASE_STRBUF_H
#define COT_BASE_STRBUF_H
#include <stdarg.h>
#include "base/vec.h"

typedef struct StrBuf {
    Mem *mem;
    char *p;
    uint32_t n, cap;
} StrBuf;
void sb_init(StrBuf *sb, Mem *m);
void sb_free(StrBuf *sb);
void sb_clear(StrBuf *sb);
void sb_putc(StrBuf *sb, char c);
void sb_puts(StrBuf *sb, const char *s);
void sb_putn(StrBuf *sb, const char *s, size_t n);
void sb_printf(StrBuf *sb, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void sb_vprintf(StrBuf *sb, const char *fmt, va_list ap);
/* Text from elsewhere, at most 200 bytes and "...": what could steer a terminal or fake a line is written as \xx. */
void sb_put_visible(StrBuf *sb, const char *s, uint32_t n);
void sb_u64(StrBuf *sb, uint64_t x);
void sb_hex(StrBuf *sb, uint64_t x);      /* no prefix, lower case */
void sb_pad_to(StrBuf *sb, uint32_t col); /* spaces up to column `col` of the current line */
const char *sb_cstr(StrBuf *sb);
#endif

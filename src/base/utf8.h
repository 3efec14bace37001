/* base/utf8.h — is a string UTF-8? (RFC 3629: no surrogates, nothing overlong, nothing above U+10FFFF) */
#ifndef COT_BASE_UTF8_H
#define COT_BASE_UTF8_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool utf8_valid(const uint8_t *p, size_t n);
#endif

/* base/utf8.c — UTF-8 validation.
 *
 * Idea  The first byte says how many follow and narrows the range of the second (that is where surrogates,
 *       overlong forms and values above U+10FFFF differ from the rest); all others are 80..BF.
 * Cost  O(n), no tables.
 * Ref   RFC 3629, section 4.
 */
#include "base/utf8.h"

bool utf8_valid(const uint8_t *p, size_t n) {
    for (size_t i = 0; i < n;) {
        uint8_t c = p[i++];
        if (c < 0x80) continue;
        size_t k = c >= 0xC2 && c <= 0xDF   ? 1
                   : (c & 0xF0) == 0xE0     ? 2
                   : c >= 0xF0 && c <= 0xF4 ? 3
                                            : 0;
        if (!k || n - i < k) return false;
        uint8_t lo = c == 0xE0   ? 0xA0
                     : c == 0xF0 ? 0x90
                                 : 0x80,
                hi = c == 0xED   ? 0x9F
                     : c == 0xF4 ? 0x8F
                                 : 0xBF;
        for (; k; k--, lo = 0x80, hi = 0xBF)
            if (p[i] < lo || p[i++] > hi) return false;
    }
    return true;
}

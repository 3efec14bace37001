/* base/bisect.h — bisection of what is sorted: bisect(at, n, before) sets the variable `at` to the first of the numbers 0 to n - 1
 * for which the condition `before`, which asks about `at`, does not hold; n: it holds for all. It must hold for none behind such a
 * one. n is evaluated once. Usage:
 *     uint32_t at;  bisect(at, v.n, v.p[at].key < key);  return at < v.n && v.p[at].key == key ? &v.p[at] : NULL; */
#ifndef COT_BASE_BISECT_H
#define COT_BASE_BISECT_H
#include <stdint.h>

#define bisect(at, n, before)             \
    do {                                  \
        uint32_t lo_ = 0, hi_ = (n);      \
        while (lo_ < hi_) {               \
            (at) = lo_ + (hi_ - lo_) / 2; \
            if (before)                   \
                lo_ = (at) + 1;           \
            else                          \
                hi_ = (at);               \
        }                                 \
        (at) = lo_;                       \
    } while (0)
#endif

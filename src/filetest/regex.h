/* filetest/regex.h — regular expressions for filecheck patterns.
 *
 * Syntax: . [a-z] [^..] \d \w \s \D \W \S \b \B ^ $ (..) (?:..) (?P<name>..) | * + ? {n} {n,} {n,m} and their lazy
 * forms. ^ and $ match at line ends. The leftmost match wins, and of those the one that the preference order of the
 * expression finds first. Bytes, not characters. */
#ifndef COT_FILETEST_REGEX_H
#define COT_FILETEST_REGEX_H
#include "base/strbuf.h"

#define REGEX_MAX_GROUPS 32
typedef struct RegexInst {
    uint32_t op, x, y; /* x: byte, set, place, or where to go; y: the second choice */
} RegexInst;
typedef struct Regex {
    Mem *mem;
    VEC(RegexInst) prog;
    VecU64 sets; /* four words each */
    VecU64 seen; /* a bit per instruction and position */
    VecU32 stack;
    uint32_t ngroups; /* the whole match is group 0 */
    struct {
        uint32_t at, n; /* in the pattern text */
    } names[REGEX_MAX_GROUPS];
} Regex;
/* Compiles; NULL or what is wrong. The Regex may be reused; zero-initialise. */
const char *regex_compile(Regex *r, Mem *m, const char *pattern, uint32_t n);
void regex_free(Regex *r);
/* The leftmost match in text[0..n); groups: begin and end of each, UINT32_MAX if it took no part. */
bool regex_search(Regex *r, const char *text, uint32_t n, uint32_t groups[2 * REGEX_MAX_GROUPS]);
#endif

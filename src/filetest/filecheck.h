/* filetest/filecheck.h — does a text match the directives in a test's comments?
 *
 *   check: P      P matches after the last match            sameln: P   on the same line as the last match
 *   nextln: P     on the line after the last match          unordered: P  after the last ordered match
 *   not: P        P does not match between the matches before and after it
 *   regex: N=R    names a regular expression
 * P is text, with $$ for a dollar, $(=R) a regular expression, $N and $(N) the value of a variable or named expression,
 * $(N=R) and $(N=$M), which define a variable, and $() for nothing. A pattern that starts or ends with a letter or
 * digit of its own text matches only at a word's edge. */
#ifndef COT_FILETEST_FILECHECK_H
#define COT_FILETEST_FILECHECK_H
#include "clif/text.h"
#include "filetest/regex.h"

typedef enum DirectiveKind {
    FC_CHECK,
    FC_SAMELN,
    FC_NEXTLN,
    FC_UNORDERED,
    FC_NOT,
    FC_REGEX,
    FC_KIND_COUNT
} DirectiveKind;
typedef struct Directive {
    uint8_t kind;
    uint32_t line; /* of the test file */
    ClifStr rest;
} Directive;
typedef struct FcVar {
    ClifStr name, value;
    bool is_regex;
    uint32_t offset; /* end of the match that defined it */
} FcVar;
typedef struct FcNot { /* a pattern that must not match from here to the next ordered match */
    uint32_t directive, from, rx, len; /* its expression in nots_text */
} FcNot;
typedef struct FileCheck {
    Mem *mem;
    VEC(Directive) directives;
    VEC(FcVar) vars;
    VEC(FcNot) nots;
    StrBuf pattern, nots_text;
    Regex rx;
} FileCheck;
void filecheck_init(FileCheck *c, Mem *m);
void filecheck_free(FileCheck *c);
/* Adds the directive in this comment, if there is one. */
void filecheck_add(FileCheck *c, const ClifComment *comment);
/* Checks the text; on failure says which directive and where in `why`. */
bool filecheck_run(FileCheck *c, const char *text, uint32_t n, StrBuf *why);
#endif

/* driver/json.h — a small JSON reader for test scripts: the whole document as a tree in an arena. */
#ifndef COT_DRIVER_JSON_H
#define COT_DRIVER_JSON_H
#include "base/diag.h"

typedef enum JsonKind {
    JSON_NULL,
    JSON_FALSE,
    JSON_TRUE,
    JSON_NUMBER,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT
} JsonKind;
typedef struct Json {
    JsonKind kind;
    double number;
    const char *str; /* string value, UTF-8; may contain NUL: use len */
    uint32_t len;
    const char *key;           /* name of this member, if inside an object */
    struct Json *first, *next; /* children; sibling */
} Json;

/* NULL with a message at line:column on error. Nesting is limited to 256. */
Json *json_parse(Arena *a, const char *text, size_t n, Diag *d);
const Json *json_get(const Json *object, const char *key); /* NULL if absent */
const char *json_str(const Json *object, const char *key); /* NULL if absent or not a string */
#endif

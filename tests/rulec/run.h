#ifndef RUN_H
#define RUN_H
#include <stdbool.h>
#include <stdint.h>

typedef struct Node {
    int i;
} Node;
typedef enum { Cc_Eq, Cc_Ne, Cc_Lt } Cc;
typedef enum {
    ISLE_Data_Add,
    ISLE_Data_Const,
    ISLE_Data_Cmp,
    ISLE_Data_Neg,
    ISLE_Data_Nop,
    ISLE_Data_Bad,
    ISLE_Data_Phi,
    ISLE_Data_Sub,
    ISLE_Data_Sel
} DataTag;
typedef struct Data {
    DataTag tag;
    int k;
    Node x, y;
    Cc c;
    int64_t v;
} Data;
typedef struct Ctx {
    Data nodes[16];
    int64_t log[64];
    int nlog;
    int hits[128];
    bool unreachable;
} Ctx;

enum { KIND_32 = 32, ISLE_CONST_K64 = 64 };
#define wipe(ctx, n) ((ctx)->nodes[(n).i] = (Data){.tag = ISLE_Data_Bad, .x = {90}, .y = {90}}, 1)
#define join(ctx, a, b, c) ((a) + (b)*10 + (c))
#define node_eq(a, b) ((a).i == (b).i)
#define ISLE_TAG_Data(ctx, d) ((d).tag)
#define ISLE_GET_Data_Add_k(ctx, d) ((d).k)
#define ISLE_GET_Data_Add_x(ctx, d) ((d).x)
#define ISLE_GET_Data_Add_y(ctx, d) ((d).y)
#define ISLE_GET_Data_Sub_x(ctx, d) ((d).x)
#define ISLE_GET_Data_Sub_y(ctx, d) ((d).y)
#define ISLE_GET_Data_Const_k(ctx, d) ((d).k)
#define ISLE_GET_Data_Const_v(ctx, d) ((d).v)
#define ISLE_GET_Data_Cmp_c(ctx, d) ((d).c)
#define ISLE_GET_Data_Cmp_x(ctx, d) ((d).x)
#define ISLE_GET_Data_Cmp_y(ctx, d) ((d).y)
#define ISLE_GET_Data_Neg_0(ctx, d) ((d).k)
#define ISLE_GET_Data_Neg_1(ctx, d) ((d).x)
#define ISLE_NEW_Data_Const(ctx, kind, val) \
    ((Data){.tag = ISLE_Data_Const, .k = (kind), .v = (val)})
#define ISLE_NEW_Data_Phi(ctx, kind) ((Data){.tag = ISLE_Data_Phi, .k = (kind)})
#define ISLE_NEW_Data_Nop(ctx) ((Data){.tag = ISLE_Data_Nop})
#define ISLE_HIT(rule) (ctx->hits[rule]++)
#define ISLE_UNREACHABLE(term, file, line) return (ctx->unreachable = true, 0)

static inline Data node_data(Ctx *ctx, Node n) {
    return ctx->nodes[n.i];
}
typedef const Data *Ref; /* into the context: what it points to may be overwritten */
enum { ISLE_Ref_Pair, ISLE_Ref_Other };
#define ISLE_TAG_Ref(ctx, d) ((d)->tag == ISLE_Data_Add ? ISLE_Ref_Pair : ISLE_Ref_Other)
#define ISLE_GET_Ref_Pair_x(ctx, d) ((d)->x)
#define ISLE_GET_Ref_Pair_y(ctx, d) ((d)->y)
static inline Ref node_ref(Ctx *ctx, Node n) {
    return &ctx->nodes[n.i];
}
static inline int64_t node_number(Ctx *ctx, Node n) {
    return n.i + (ctx->nodes[0].tag == ISLE_Data_Add ? 0 : 7000);
}
static inline void split(Ctx *ctx, int64_t v, uint32_t *hi, uint32_t *lo) {
    (void)ctx;
    *hi = (uint32_t)((uint64_t)v >> 32);
    *lo = (uint32_t)v;
}
static inline bool even(Ctx *ctx, int64_t v, int64_t *out) {
    (void)ctx;
    *out = v / 2;
    return v % 2 == 0;
}
static inline bool half(Ctx *ctx, int64_t v, int64_t *out) {
    (void)ctx;
    *out = v / 2;
    return v > 20;
}
static inline int64_t half_sum(Ctx *ctx, int64_t a, int64_t b) {
    (void)ctx;
    return a * 10 + b;
}
static inline int64_t log_it(Ctx *ctx, int64_t v) {
    ctx->log[ctx->nlog++] = v;
    return v + 1;
}
static inline bool fallible(Ctx *ctx, int64_t v, int64_t *out) {
    *out = log_it(ctx, -v);
    return v < 100;
}
static inline int64_t from_u32(Ctx *ctx, uint32_t v) {
    (void)ctx;
    return v;
}
static inline int64_t of_node(Ctx *ctx, Node n) {
    (void)ctx;
    return 1000 + n.i;
}
static inline bool pred(Ctx *ctx, uint64_t v, uint64_t *out) {
    (void)ctx;
    *out = v - 1;
    return v > 0;
}
static inline uint64_t succ(Ctx *ctx, uint64_t v) {
    (void)ctx;
    return v + 1;
}
/* The users of a node: the nodes whose x is it. */
typedef struct users_iter {
    int of, at;
} users_iter;
static inline void users_begin(Ctx *ctx, Node n, users_iter *it) {
    (void)ctx;
    *it = (users_iter){n.i, 0};
}
static inline bool users_next(Ctx *ctx, users_iter *it, Node *out) {
    while (it->at < 16) {
        out->i = it->at++;
        if (out->i != it->of && ctx->nodes[out->i].x.i == it->of && ctx->nodes[out->i].k != 0)
            return true;
    }
    return false;
}
/* The bits set in a number. */
typedef struct bits_iter {
    uint64_t left;
} bits_iter;
static inline void bits_begin(Ctx *ctx, int64_t v, bits_iter *it) {
    (void)ctx;
    it->left = (uint64_t)v;
}
static inline bool bits_next(Ctx *ctx, bits_iter *it, int64_t *out) {
    (void)ctx;
    if (it->left == 0) return false;
    *out = (int64_t)(it->left & (0 - it->left));
    it->left &= it->left - 1;
    return true;
}
#endif

/* tests/unit/regalloc/ra_gen.h — random inputs of the allocator.
 *
 * Shape     Raw blocks get one earlier predecessor each, then more edges in any direction (loops, also irreducible;
 *           a mode concentrates them on one target or one source, another nests loops); critical edges are split, the edge blocks
 *           stand after their source or at the end.
 * Values    A use names a value defined earlier in the block, or in a dominator.
 * Operands  Every constraint, position and kind, fixed registers, reuse, clobbers, both classes, wide slots. Each
 *           instruction needs at most as many registers as there are, so an allocator must succeed. */
#ifndef COT_TESTS_RA_GEN_H
#define COT_TESTS_RA_GEN_H
#include <string.h>
#include "../rnd.h"
#include "regalloc/regalloc.h"

enum {
    G_RAW = 14,
    G_B = 64,
    G_E = 128,
    G_I = 8192,
    G_O = 131072,
    G_V = 65536,
    G_P = 1024,
    G_A = 2048
};
typedef struct Gen {
    uint64_t rng;
    uint32_t length; /* so many times the instructions of a block; 0 and 1 are the same */
    RaFunc f;
    RaEnv env;
    uint32_t nb, ni, nv, ns, np, na, nclob;
    RaBlock blocks[G_B];
    uint64_t dom[G_B];
    uint32_t succs[G_E], preds[G_E], edge_args[G_E + 1], op_start[G_I + 1];
    RaVReg params[G_P], args[G_A];
    RaOperand ops[G_O];
    uint8_t flags[G_I], slots[G_V];
    RaClobber clobbers[G_I];
    RaVReg defs[G_V]; /* values by block, def_first[b] .. def_first[b + 1] */
    uint32_t def_first[G_B + 1], ndefs;
} Gen;

static inline uint32_t g_rnd(Gen *g, uint32_t n) {
    return n ? (uint32_t)(rnd(&g->rng) >> 33) % n : 0;
}
static inline bool g_one_in(Gen *g, uint32_t n) {
    return g_rnd(g, n) == 0;
}

/* ---- registers: 2 to 15 of each class, sometimes with gaps ---- */
static inline void g_env(Gen *g) {
    memset(&g->env, 0xFF, sizeof g->env);
    g->env.allocatable = g->env.caller_saved = 0;
    for (uint32_t c = 0; c < RA_NUM_CLASSES; c++) {
        uint32_t n = 2 + g_rnd(g, g_one_in(g, 3) ? 14 : 5), k = 0;
        bool gaps = g_one_in(g, 3);
        for (uint32_t r = 0; r < 31 && k < n; r++) {
            if (gaps && g_one_in(g, 3)) continue;
            g->env.allocatable |= ra_set((RaPReg)(c * 32 + r));
            if (g_rnd(g, 3)) g->env.caller_saved |= ra_set((RaPReg)(c * 32 + r));
            g->env.order[c][k++] = (RaPReg)(c * 32 + r);
        }
        if (g_rnd(g, 8)) g->env.scratch[c] = (RaPReg)(c * 32 + 31);
    }
}

/* ---- control flow ---- */
static inline void g_cfg(Gen *g) {
    uint32_t n = 1 + g_rnd(g, G_RAW), ns[G_RAW] = {0}, to[G_RAW][8], npred[G_RAW] = {0};
    bool first_way[G_RAW][8] = {{false}}; /* the edge that reaches its target from before */
    uint32_t mode = g_rnd(g, 5), hub = g_rnd(g, n);
    for (uint32_t t = 1; t < n; t++) {
        uint32_t p = mode == 1 || g_one_in(g, 2) ? t - 1 : g_rnd(g, t);
        if (ns[p] == 8) p = t - 1;
        first_way[p][ns[p]] = true;
        to[p][ns[p]++] = t;
        npred[t]++;
    }
    for (uint32_t lo = 1, hi = n - 1; mode == 4 && lo <= hi && hi < n;
         lo += g_rnd(g, 3), hi -= g_rnd(g, 3)) {
        if (ns[hi] == 8) break;
        to[hi][ns[hi]++] = lo;
        npred[lo]++;
        if (g_one_in(g, n)) break;
    }
    for (uint32_t k = n > 1 ? g_rnd(g, mode == 4 ? 3 : n + 3) : 0; k-- > 0;) {
        uint32_t p = mode == 2 ? hub : g_rnd(g, n), t = 1 + g_rnd(g, n - 1);
        if (mode == 3 && hub) t = hub;
        if (ns[p] == 8) continue;
        to[p][ns[p]++] = t;
        npred[t]++;
    }
    uint32_t pos[G_RAW], edge_pos[G_RAW][8], late = 0;
    g->nb = 0;
    for (uint32_t b = 0; b < n; b++) {
        pos[b] = g->nb++;
        for (uint32_t k = 0; k < ns[b]; k++) {
            edge_pos[b][k] = UINT32_MAX;
            if (ns[b] < 2 || npred[to[b][k]] < 2) continue;
            if (g_one_in(g, 4) && !first_way[b][k])
                edge_pos[b][k] = UINT32_MAX - 1, late++;
            else
                edge_pos[b][k] = g->nb++;
        }
    }
    for (uint32_t b = 0; b < n; b++)
        for (uint32_t k = 0; k < ns[b]; k++)
            if (edge_pos[b][k] == UINT32_MAX - 1) edge_pos[b][k] = g->nb++;
    COT_ASSERT(g->nb <= G_B);
    memset(g->blocks, 0, sizeof g->blocks);
    uint32_t first[G_B], count[G_B], list[G_E], nl = 0;
    for (uint32_t b = 0; b < n; b++) {
        first[pos[b]] = nl;
        count[pos[b]] = ns[b];
        for (uint32_t k = 0; k < ns[b]; k++)
            list[nl++] = edge_pos[b][k] == UINT32_MAX ? pos[to[b][k]] : edge_pos[b][k];
        for (uint32_t k = 0; k < ns[b]; k++)
            if (edge_pos[b][k] != UINT32_MAX) {
                first[edge_pos[b][k]] = nl;
                count[edge_pos[b][k]] = 1;
                list[nl++] = pos[to[b][k]];
            }
    }
    g->ns = 0;
    for (uint32_t b = 0; b < g->nb; b++) {
        g->blocks[b].succ_start = g->ns;
        for (uint32_t k = 0; k < count[b]; k++) g->succs[g->ns++] = list[first[b] + k];
        g->blocks[b].succ_end = g->ns;
    }
    uint32_t npreds = 0;
    for (uint32_t b = 0; b < g->nb; b++) {
        g->blocks[b].pred_start = npreds;
        for (uint32_t q = 0; q < g->nb; q++)
            for (uint32_t e = g->blocks[q].succ_start; e < g->blocks[q].succ_end; e++)
                if (g->succs[e] == b) g->preds[npreds++] = q;
        g->blocks[b].pred_end = npreds;
    }
    for (uint32_t b = 0; b < g->nb; b++) g->dom[b] = b ? ~(uint64_t)0 : 1;
    for (bool again = true; again;) {
        again = false;
        for (uint32_t b = 1; b < g->nb; b++) {
            uint64_t d = ~(uint64_t)0;
            for (uint32_t p = g->blocks[b].pred_start; p < g->blocks[b].pred_end; p++)
                d &= g->dom[g->preds[p]];
            d |= (uint64_t)1 << b;
            again |= d != g->dom[b];
            g->dom[b] = d;
        }
    }
}

/* ---- values ---- */
static inline RaVReg g_fresh(Gen *g, RaClass c, uint8_t width) {
    COT_ASSERT(g->nv < G_V);
    g->slots[g->nv] = width;
    return ra_vreg(g->nv++, c);
}
static inline RaVReg g_fresh_any(Gen *g) {
    RaClass c = g_one_in(g, 3) ? RA_FLOAT : RA_INT;
    return g_fresh(g, c, c == RA_FLOAT && g_one_in(g, 3) ? 2 : 1);
}
static inline bool g_like(const Gen *g, RaVReg a, RaVReg b) {
    return ra_vreg_class(a) == ra_vreg_class(b) &&
           g->slots[ra_vreg_index(a)] == g->slots[ra_vreg_index(b)];
}
/* A value available at the end of what is generated of block b; recent ones more often. `like`: same class and
 * width, or RA_VREG_NONE. */
static inline RaVReg g_value(Gen *g, uint32_t b, RaVReg like) {
    for (uint32_t tries = 0;; tries++) {
        uint32_t d = tries < 8 ? b : g_rnd(g, b + 1);
        if (tries > 40) d = 0; /* the entry defines one of each */
        if (!(g->dom[b] >> d & 1)) continue;
        uint32_t end = g->def_first[d + 1];
        if (end == g->def_first[d]) continue;
        RaVReg v = g->defs[g->def_first[d] + g_rnd(g, end - g->def_first[d])];
        if (g_one_in(g, 3)) v = g->defs[end - 1];
        if (like == RA_VREG_NONE || g_like(g, v, like)) return v;
    }
}

static inline void g_op(Gen *g, RaVReg v, RaKind k, RaPos p, RaConstraint c, uint32_t arg) {
    COT_ASSERT(g->op_start[g->ni + 1] < G_O);
    g->ops[g->op_start[g->ni + 1]++] =
        (RaOperand){.vreg = v, .kind = k, .pos = p, .constraint = c, .arg = (uint8_t)arg};
}
static inline void g_end_inst(Gen *g, uint8_t flags) {
    g->flags[g->ni++] = flags;
    g->op_start[g->ni + 1] = g->op_start[g->ni];
}
static inline RaPReg g_reg_of(Gen *g, RaPRegSet from) {
    for (uint32_t k = g_rnd(g, u64_popcount(from)); k--;) from &= from - 1;
    return (RaPReg)u64_ctz(from);
}

/* Two to four plain operands, the bulk of real code. */
static inline void g_simple(Gen *g, uint32_t b) {
    uint32_t first = g->op_start[g->ni + 1], uses = g_rnd(g, 3),
             defs = g_rnd(g, 6) ? 1 : g_rnd(g, 3);
    RaVReg d[2], u[2];
    for (uint32_t k = 0; k < uses; k++) u[k] = g_value(g, b, RA_VREG_NONE);
    for (uint32_t k = 0; k < defs; k++) {
        d[k] = g_fresh_any(g);
        if (k == 0 && uses && g_like(g, u[0], d[k]) && g_one_in(g, 2))
            g_op(g, d[k], RA_DEF, RA_LATE, RA_REUSE, defs);
        else
            g_op(g, d[k], RA_DEF, RA_LATE, g_one_in(g, 6) ? RA_ANY : RA_REG, 0);
    }
    for (uint32_t k = 0; k < uses; k++)
        g_op(g, u[k], RA_USE, RA_EARLY, k && g_one_in(g, 2) ? RA_ANY : RA_REG, 0);
    bool move =
        uses == 1 && defs == 1 && g_like(g, u[0], d[0]) && g->ops[first].constraint != RA_REUSE;
    g_end_inst(g, move && g_one_in(g, 2) ? RA_INST_MOVE : 0);
    for (uint32_t k = 0; k < defs; k++) g->defs[g->ndefs++] = d[k];
}

static inline void g_call(Gen *g, uint32_t b) {
    RaPRegSet args = g->env.allocatable, rets = g->env.allocatable, fixed = 0, defined = 0;
    uint32_t plain[2] = {0, 0}, n[2];
    for (uint32_t c = 0; c < 2; c++) n[c] = u64_popcount(args & RA_CLASS_MASK(c));
    RaVReg d[4];
    uint32_t nd = 0;
    for (uint32_t k = g_rnd(g, 6); k--;) {
        RaVReg v = g_value(g, b, RA_VREG_NONE);
        RaPRegSet from = args & RA_CLASS_MASK(ra_vreg_class(v));
        if (!from) continue;
        RaPReg r = g_reg_of(g, from);
        args &= ~ra_set(r), fixed |= ra_set(r);
        g_op(g, v, RA_USE, RA_EARLY, RA_FIXED, r);
        if (g_one_in(g, 20)) g_op(g, v, RA_USE, RA_EARLY, RA_FIXED, r); /* said twice */
    }
    for (uint32_t k = g_rnd(g, 3); k--;) {
        RaVReg v = g_value(g, b, RA_VREG_NONE);
        uint32_t c = ra_vreg_class(v);
        if (g_one_in(g, 2))
            g_op(g, v, RA_USE, RA_EARLY, RA_ANY, 0);
        else if (plain[c] + u64_popcount(fixed & RA_CLASS_MASK(c)) < n[c])
            plain[c]++, g_op(g, v, RA_USE, RA_EARLY, RA_REG, 0);
    }
    for (uint32_t k = g_rnd(g, 4); k--;) {
        RaVReg v = g_fresh_any(g);
        RaPRegSet from = rets & RA_CLASS_MASK(ra_vreg_class(v));
        if (!from) continue;
        RaPReg r = g_reg_of(g, from);
        rets &= ~ra_set(r), defined |= ra_set(r);
        g_op(g, v, RA_DEF, RA_LATE, RA_FIXED, r);
        d[nd++] = v;
    }
    g->clobbers[g->nclob++] = (RaClobber){g->ni, g->env.caller_saved & ~defined};
    g_end_inst(g, RA_INST_CALL);
    for (uint32_t k = 0; k < nd; k++) g->defs[g->ndefs++] = d[k];
}

/* Anything at all, within the number of registers. temps: the definitions are not used by others (branches). */
static inline void g_weird(Gen *g, uint32_t b, bool temps, uint8_t flags) {
    RaPRegSet free_e = g->env.allocatable, free_l = free_e, clob = 0; /* for fixed ones, by half */
    uint32_t budget[2], first = g->op_start[g->ni + 1];
    for (uint32_t c = 0; c < 2; c++)
        budget[c] = u64_popcount(g->env.allocatable & RA_CLASS_MASK(c));
    for (uint32_t k = g_one_in(g, 2) ? g_rnd(g, 4) : 0; k--;) {
        RaPReg r = g_reg_of(g, g->env.allocatable);
        uint32_t c = r >= 32;
        if (budget[c] < 2 || (clob >> r & 1)) continue;
        clob |= ra_set(r), budget[c]--;
    }
    free_l &= ~clob;
    RaVReg d[8];
    uint32_t nd = 0;
    uint8_t reusable[16];
    uint32_t nreuse = 0;
    for (uint32_t k = g_rnd(g, 7); k--;) {
        bool def = g_one_in(g, 2) && nd < 8;
        RaVReg v = def ? g_fresh_any(g) : g_value(g, b, RA_VREG_NONE);
        uint32_t c = ra_vreg_class(v), at = g->op_start[g->ni + 1] - first;
        RaPos pos = g_one_in(g, 4) ? (def ? RA_EARLY : RA_LATE) : (def ? RA_LATE : RA_EARLY);
        RaKind kind = def ? RA_DEF : RA_USE;
        uint32_t what = g_rnd(g, 8);
        if (what == 7 && g_one_in(g, 4)) {
            g_op(g, RA_VREG_NONE, kind, pos, RA_FIXED_NONALLOC, c * 32 + 31);
            continue;
        }
        if (what == 0) {
            g_op(g, v, kind, pos, RA_STACK, 0);
        } else if (what == 1) {
            g_op(g, v, kind, pos, RA_ANY, 0);
        } else if (budget[c] == 0) {
            continue;
        } else if (what <= 3) {
            bool early = !def || pos == RA_EARLY, late = def || pos == RA_LATE;
            RaPRegSet from = RA_CLASS_MASK(c) & g->env.allocatable & (early ? free_e : ~0ull) &
                             (late ? free_l : ~0ull);
            if (!from) continue;
            RaPReg r = g_reg_of(g, from);
            if (early) free_e &= ~ra_set(r);
            if (late) free_l &= ~ra_set(r);
            budget[c]--;
            if (!def && pos == RA_EARLY) reusable[nreuse++] = (uint8_t)at;
            g_op(g, v, kind, pos, RA_FIXED, r);
        } else {
            budget[c]--;
            if (!def && pos == RA_EARLY) reusable[nreuse++] = (uint8_t)at;
            g_op(g, v, kind, pos, what == 4 ? RA_LIMIT : RA_REG, 0);
        }
        if (def) d[nd++] = v;
    }
    /* reuse of some inputs, in their registers; a fixed one only if that is free in the late half */
    for (uint32_t k = 0; k < nreuse; k++) {
        const RaOperand *in = &g->ops[first + reusable[k]];
        uint32_t c = ra_vreg_class(in->vreg);
        if (g_one_in(g, 2) || budget[c] == 0 || nd == 8) continue;
        if (in->constraint == RA_FIXED) {
            if (!(free_l >> in->arg & 1)) continue;
            free_l &= ~ra_set(in->arg);
        }
        budget[c]--;
        RaVReg v = g_fresh(g, ra_vreg_class(in->vreg), g->slots[ra_vreg_index(in->vreg)]);
        g_op(g, v, RA_DEF, RA_LATE, RA_REUSE, reusable[k]);
        d[nd++] = v;
    }
    /* limits wide enough for all of the instruction */
    uint32_t end = g->op_start[g->ni + 1];
    for (uint32_t o = first; o < end; o++) {
        if (g->ops[o].constraint != RA_LIMIT) continue;
        uint32_t c = ra_vreg_class(g->ops[o].vreg), k = 1, need;
        RaPRegSet m = g->env.allocatable & RA_CLASS_MASK(c);
        need = u64_popcount(m) - budget[c];
        while (k < 32 && u64_popcount(m >> (c * 32) & (((uint64_t)1 << k) - 1)) < need) k++;
        g->ops[o].arg = (uint8_t)(k + g_rnd(g, 33 - k));
    }
    if (clob) g->clobbers[g->nclob++] = (RaClobber){g->ni, clob};
    g_end_inst(g, flags);
    for (uint32_t k = 0; k < nd && !temps; k++) g->defs[g->ndefs++] = d[k];
}

static inline void gen_random(Gen *g, uint64_t seed) {
    memset(&g->f, 0, sizeof g->f);
    g->rng = seed;
    g->ni = g->nv = g->np = g->na = g->nclob = g->ndefs = 0;
    g->op_start[0] = g->op_start[1] = 0;
    g_env(g);
    g_cfg(g);
    uint32_t weird = g_rnd(g, 4), calls = g_rnd(g, 4);
    for (uint32_t b = 0; b < g->nb; b++) {
        RaBlock *rb = &g->blocks[b];
        uint32_t nsucc = rb->succ_end - rb->succ_start;
        g->def_first[b] = g->ndefs;
        rb->inst_start = g->ni;
        rb->param_start = g->np;
        if (b)
            for (uint32_t k = g_one_in(g, 8) ? g_rnd(g, 12) : g_rnd(g, 4); k--;)
                g->defs[g->ndefs++] = g->params[g->np++] = g_fresh_any(g);
        rb->param_end = g->np;
        g->def_first[b + 1] = g->ndefs;
        if (b == 0 && g_one_in(g, 2)) { /* values that come in registers */
            RaPRegSet from = g->env.allocatable;
            for (uint32_t k = g_rnd(g, 6); k-- && from;) {
                RaPReg r = g_reg_of(g, from);
                from &= ~ra_set(r);
                RaVReg v = g_fresh(g, (RaClass)(r / 32), r >= 32 && g_one_in(g, 3) ? 2 : 1);
                g_op(g, v, RA_DEF, RA_LATE, RA_FIXED, r);
                g->defs[g->ndefs++] = v;
            }
            g_end_inst(g, RA_INST_ENTRY);
        }
        if (b == 0) { /* one value of each kind */
            const RaVReg v[3] = {g_fresh(g, RA_INT, 1), g_fresh(g, RA_FLOAT, 1),
                                 g_fresh(g, RA_FLOAT, 2)};
            for (uint32_t k = 0; k < 3; k++) {
                g_op(g, v[k], RA_DEF, RA_LATE, RA_REG, 0);
                g_end_inst(g, 0);
                g->defs[g->ndefs++] = v[k];
            }
        }
        uint32_t more = g_rnd(g, g_one_in(g, 6) ? 30 : 7);
        if (g->length > 1) more *= g->length;
        for (uint32_t k = more; k-- && g->ni + 4 * G_B < G_I;) {
            g->def_first[b + 1] = g->ndefs;
            uint32_t what = g_rnd(g, 10);
            if (what < weird)
                g_weird(g, b, false, 0);
            else if (what < weird + calls)
                g_call(g, b);
            else
                g_simple(g, b);
        }
        g->def_first[b + 1] = g->ndefs;
        if (nsucc > 1)
            g_weird(g, b, true, RA_INST_BRANCH);
        else if (nsucc == 1)
            g_end_inst(g, RA_INST_BRANCH);
        else {
            g_call(g, b);
            g->flags[g->ni - 1] = RA_INST_RET;
        }
        g->def_first[b + 1] = g->ndefs;
        rb->inst_end = g->ni;
    }
    for (uint32_t b = 0; b < g->nb; b++)
        for (uint32_t e = g->blocks[b].succ_start; e < g->blocks[b].succ_end; e++) {
            const RaBlock *t = &g->blocks[g->succs[e]];
            g->edge_args[e] = g->na;
            for (uint32_t k = t->param_start; k < t->param_end; k++) {
                COT_ASSERT(g->na < G_A);
                g->args[g->na++] = g_value(g, b, g->params[k]);
            }
        }
    g->edge_args[g->ns] = g->na;
    g->f = (RaFunc){.num_insts = g->ni,
                    .num_blocks = g->nb,
                    .num_vregs = g->nv,
                    .blocks = g->blocks,
                    .succs = g->succs,
                    .preds = g->preds,
                    .params = g->params,
                    .edge_args = g->edge_args,
                    .branch_args = g->args,
                    .ops = g->ops,
                    .op_start = g->op_start,
                    .inst_flags = g->flags,
                    .clobbers = g->clobbers,
                    .num_clobbers = g->nclob,
                    .vreg_slots = g->slots};
}
#endif

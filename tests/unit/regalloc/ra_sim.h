/* tests/unit/regalloc/ra_sim.h — executes an allocator's input on virtual registers and its output on physical ones, side by
 * side, along one random path, and compares what each use reads.
 *
 * Time within an instruction: moves before it; early definitions write; early uses read; clobbers and late definitions
 * write; late uses read; the definitions have their values; moves after it. Whatever is written in between is garbage
 * that differs from every value, so that a use reading it is noticed. */
#ifndef COT_TESTS_RA_SIM_H
#define COT_TESTS_RA_SIM_H
#include "ra_gen.h"

enum { SIM_SLOTS = 1 << 14 };
typedef struct Sim {
    const RaFunc *f;
    const RaOutput *out;
    uint64_t rng;
    uint64_t vreg[G_V][2], reg[64][2], slot[SIM_SLOTS];
    uint32_t edit_at[2 * G_I + 2];
    char msg[160];
} Sim;

static inline uint32_t sim_width(const Sim *s, RaVReg v) {
    return ra_move_slots(s->f->vreg_slots, v);
}
static inline void sim_read(const Sim *s, RaAlloc a, uint64_t to[2]) {
    if (ra_is_reg(a))
        memcpy(to, s->reg[ra_alloc_preg(a) & 63], 16);
    else
        memcpy(to, &s->slot[ra_alloc_slot_index(a) % (SIM_SLOTS - 1)], 16);
}
static inline void sim_write(Sim *s, RaAlloc a, const uint64_t from[2], uint32_t width) {
    uint64_t *p = ra_is_reg(a) ? s->reg[ra_alloc_preg(a) & 63]
                               : &s->slot[ra_alloc_slot_index(a) % (SIM_SLOTS - 1)];
    p[0] = from[0];
    if (width == 2)
        p[1] = from[1];
    else if (ra_is_reg(a))
        p[1] = rnd(&s->rng);
}
static inline void sim_spoil(Sim *s, RaAlloc a, uint32_t width) {
    uint64_t x[2] = {rnd(&s->rng), rnd(&s->rng)};
    sim_write(s, a, x, width);
}
static inline void sim_edits(Sim *s, uint32_t point) {
    for (uint32_t e = s->edit_at[point]; e < s->edit_at[point + 1]; e++) {
        const RaEdit *ed = &s->out->edits[e];
        uint64_t x[2];
        sim_read(s, ed->from, x);
        if (ed->from != ed->to) sim_write(s, ed->to, x, sim_width(s, ed->vreg));
    }
}
static inline bool sim_uses(Sim *s, uint32_t i, RaPos pos) {
    for (uint32_t o = s->f->op_start[i]; o < s->f->op_start[i + 1]; o++) {
        const RaOperand *op = &s->f->ops[o];
        if (op->kind != RA_USE || op->pos != pos || op->constraint == RA_FIXED_NONALLOC) continue;
        uint64_t x[2];
        sim_read(s, s->out->allocs[o], x);
        const uint64_t *want = s->vreg[ra_vreg_index(op->vreg)];
        if (x[0] == want[0] && (sim_width(s, op->vreg) == 1 || x[1] == want[1])) continue;
        snprintf(s->msg, sizeof s->msg, "instruction %u reads a wrong value for v%u", i,
                 ra_vreg_index(op->vreg));
        return false;
    }
    return true;
}
static inline void sim_defs(Sim *s, uint32_t i, RaPos pos, bool garbage) {
    for (uint32_t o = s->f->op_start[i]; o < s->f->op_start[i + 1]; o++) {
        const RaOperand *op = &s->f->ops[o];
        if (op->kind != RA_DEF || op->pos != pos || op->constraint == RA_FIXED_NONALLOC) continue;
        if (garbage)
            sim_spoil(s, s->out->allocs[o], sim_width(s, op->vreg));
        else
            sim_write(s, s->out->allocs[o], s->vreg[ra_vreg_index(op->vreg)],
                      sim_width(s, op->vreg));
    }
}

/* NULL if all agrees on this path, otherwise what does not. */
static inline const char *sim_run(Sim *s, const RaFunc *f, const RaOutput *out, uint64_t seed,
                                  uint32_t steps) {
    s->f = f, s->out = out, s->rng = seed;
    for (uint32_t p = 0, e = 0; p <= 2 * f->num_insts; p++) {
        s->edit_at[p] = e;
        while (e < out->num_edits && out->edits[e].point == p) e++;
        s->edit_at[p + 1] = e;
    }
    if (out->num_slots >= SIM_SLOTS) return "too many slots";
    for (uint32_t r = 0; r < 64; r++) sim_spoil(s, ra_alloc_reg((RaPReg)r), 2);
    for (uint32_t k = 0; k < out->num_slots; k++) s->slot[k] = rnd(&s->rng);
    for (uint32_t v = 0; v < f->num_vregs; v++)
        s->vreg[v][0] = rnd(&s->rng), s->vreg[v][1] = rnd(&s->rng);
    for (uint32_t b = 0;;) {
        const RaBlock *rb = &f->blocks[b];
        for (uint32_t i = rb->inst_start; i < rb->inst_end; i++) {
            if (steps-- == 0) return NULL;
            sim_edits(s, 2 * i);
            sim_defs(s, i, RA_EARLY, true);
            if (!sim_uses(s, i, RA_EARLY)) return s->msg;
            for (uint32_t c = 0; c < f->num_clobbers; c++)
                for (RaPRegSet m = f->clobbers[c].inst == i ? f->clobbers[c].regs : 0; m;
                     m &= m - 1)
                    sim_spoil(s, ra_alloc_reg((RaPReg)u64_ctz(m)), 2);
            sim_defs(s, i, RA_LATE, true);
            if (!sim_uses(s, i, RA_LATE)) return s->msg;
            for (uint32_t o = f->op_start[i]; o < f->op_start[i + 1]; o++) {
                if (f->ops[o].kind != RA_DEF || f->ops[o].constraint == RA_FIXED_NONALLOC) continue;
                uint64_t *v = s->vreg[ra_vreg_index(f->ops[o].vreg)];
                v[0] = rnd(&s->rng), v[1] = rnd(&s->rng);
            }
            sim_defs(s, i, RA_EARLY, false);
            sim_defs(s, i, RA_LATE, false);
            sim_edits(s, 2 * i + 1);
        }
        uint32_t ns = rb->succ_end - rb->succ_start;
        if (ns == 0) return NULL;
        uint32_t e = rb->succ_start + (uint32_t)(rnd(&s->rng) % ns), n = 0;
        b = f->succs[e];
        uint64_t x[G_P][2];
        for (uint32_t k = f->edge_args[e]; k < f->edge_args[e + 1]; k++)
            memcpy(x[n++], s->vreg[ra_vreg_index(f->branch_args[k])], 16);
        for (uint32_t k = 0; k < n; k++)
            memcpy(s->vreg[ra_vreg_index(f->params[f->blocks[b].param_start + k])], x[k], 16);
    }
}
#endif

/* regmaps FILE.ra…: what a structure for "which register is free here" costs, on the questions of real functions.
 *
 * FILE.ra is what `cot compile --emit regalloc` prints for a module. Each function is allocated once; what the backtracking
 * allocator asks of and does to its occupation map is noted, then replayed on several structures:
 *     words    the map itself, ion_occ.c: one question answers for all registers
 *     pages    per register, sorted pages of 32 ranges with a directory, ion_regs.c: a B-tree of two levels
 *     arrays   per register, one sorted array, found by bisection
 * The question "is it free from here to there" goes to the integer registers in turn, until one is free ("first"), or to all
 * ("all": what the words answer, for both classes). What fixed operands and calls take is there before.
 *
 * What the allocator calls is seen through the linker's --wrap (bench/CMakeLists.txt). */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "regalloc/ion.h"
#include "regalloc/text.h"

typedef enum What { SET, CLEAR, ASK, NOTHING } What;
typedef struct Step {
    uint32_t from, to;
    RaPRegSet regs; /* of a question: what the map answered */
    What what;
} Step;
static VEC(Step) steps;
static Mem mem;
static const IonMap *map; /* noted; NULL = not now */
static VecU64 before;     /* what was taken when it began */
static VecU64 walls;      /* of it, what no later step covers */

void __real_ion_map_set(IonMap *m, uint32_t from, uint32_t to, RaPRegSet bit);
void __real_ion_map_clear(IonMap *m, uint32_t from, uint32_t to, RaPRegSet bit);
RaPRegSet __real_ion_map_or(const IonMap *m, uint32_t from, uint32_t to);
uint32_t __real_ion_map_first(const IonMap *m, uint32_t from, uint32_t to, RaPRegSet *left);
void __wrap_ion_map_set(IonMap *m, uint32_t from, uint32_t to, RaPRegSet bit);
void __wrap_ion_map_clear(IonMap *m, uint32_t from, uint32_t to, RaPRegSet bit);
RaPRegSet __wrap_ion_map_or(const IonMap *m, uint32_t from, uint32_t to);
uint32_t __wrap_ion_map_first(const IonMap *m, uint32_t from, uint32_t to, RaPRegSet *left);

static void note(const IonMap *m, What what, uint32_t from, uint32_t to, RaPRegSet regs) {
    if (!map || m != map) return;
    if (steps.n == 0) {
        vec_clear(&before);
        memcpy(vec_extend(&mem, &before, m->any[0].n), m->any[0].p, m->any[0].n * sizeof(uint64_t));
    }
    vec_push(&mem, &steps, (Step){from, to, regs, what});
}
void __wrap_ion_map_set(IonMap *m, uint32_t from, uint32_t to, RaPRegSet bit) {
    note(m, SET, from, to, bit);
    __real_ion_map_set(m, from, to, bit);
}
void __wrap_ion_map_clear(IonMap *m, uint32_t from, uint32_t to, RaPRegSet bit) {
    note(m, CLEAR, from, to, bit);
    __real_ion_map_clear(m, from, to, bit);
}
RaPRegSet __wrap_ion_map_or(const IonMap *m, uint32_t from, uint32_t to) {
    RaPRegSet s = __real_ion_map_or(m, from, to);
    note(m, ASK, from, to, s);
    return s;
}
uint32_t __wrap_ion_map_first(const IonMap *m, uint32_t from, uint32_t to, RaPRegSet *left) {
    return __real_ion_map_first(m, from, to, left);
}

/* ---- structures ---- */
static IonCtx ctx;
static IonMap words;
static RaPRegSet registers;
static uint64_t answers; /* so that nothing is left out */

static void words_reset(void) {
    ion_map_init(&ctx, &words, before.n - 1);
    memcpy(words.any[0].p, before.p, before.n * sizeof(uint64_t));
    ion_map_sum(&words);
}
static void words_step(const Step *s) {
    if (s->what == SET)
        __real_ion_map_set(&words, s->from, s->to, s->regs);
    else if (s->what == CLEAR)
        __real_ion_map_clear(&words, s->from, s->to, s->regs);
    else
        answers += __real_ion_map_or(&words, s->from, s->to);
}

static uint32_t a_range(uint32_t from, uint32_t to) {
    vec_push(&mem, &ctx.r, (IonRange){.from = from, .to = to});
    return ctx.r.n - 1;
}
static void pages_add(RaPReg p, uint32_t from, uint32_t to) {
    vec_push(&mem, &ctx.fresh[p], a_range(from, to));
    ion_regs_flush(&ctx, p);
}
static void pages_remove(RaPReg p, uint32_t from, uint32_t to) {
    ion_regs_remove(&ctx, p, a_range(from, to));
}
static bool pages_free(RaPReg p, uint32_t from, uint32_t to) {
    IonCursor c = ion_regs_find(&ctx, p, from);
    return c.page == ctx.dir[p].n || ctx.pages.p[ctx.dir[p].p[c.page]].from[c.at] >= to;
}

typedef struct Pair {
    uint32_t from, to;
} Pair;
static VEC(Pair) arrays[64];
static uint32_t arrays_find(RaPReg p, uint32_t point) {
    uint32_t lo = 0, hi = arrays[p].n;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (arrays[p].p[mid].to > point)
            hi = mid;
        else
            lo = mid + 1;
    }
    return lo;
}
static void arrays_add(RaPReg p, uint32_t from, uint32_t to) {
    uint32_t at = arrays_find(p, from);
    (void)vec_extend(&mem, &arrays[p], 1);
    memmove(arrays[p].p + at + 1, arrays[p].p + at, (arrays[p].n - 1 - at) * sizeof(Pair));
    arrays[p].p[at] = (Pair){from, to};
}
static void arrays_remove(RaPReg p, uint32_t from, uint32_t to) {
    (void)to;
    uint32_t at = arrays_find(p, from);
    arrays[p].n--;
    memmove(arrays[p].p + at, arrays[p].p + at + 1, (arrays[p].n - at) * sizeof(Pair));
}
static bool arrays_free(RaPReg p, uint32_t from, uint32_t to) {
    uint32_t at = arrays_find(p, from);
    return at == arrays[p].n || arrays[p].p[at].from >= to;
}

typedef struct Structure {
    const char *name;
    void (*add)(RaPReg, uint32_t, uint32_t), (*remove)(RaPReg, uint32_t, uint32_t);
    bool (*free)(RaPReg, uint32_t, uint32_t);
} Structure;
static const Structure lists[2] = {{"pages", pages_add, pages_remove, pages_free},
                                   {"arrays", arrays_add, arrays_remove, arrays_free}};

/* What was taken before, as ranges. */
static void lists_reset(const Structure *l) {
    ion_regs_reset(&ctx);
    vec_clear(&ctx.r);
    for (RaPReg p = 0; p < 64; p++) {
        vec_clear(&arrays[p]);
        for (uint32_t a = 0, z; a < walls.n; a = z + 1) {
            for (; a < walls.n && !(walls.p[a] >> p & 1);) a++;
            for (z = a; z < walls.n && (walls.p[z] >> p & 1);) z++;
            if (a < z) l->add(p, a, z);
        }
    }
}
static void lists_step(const Structure *l, const Step *s, bool all) {
    if (s->what == NOTHING) return;
    if (s->what != ASK) {
        RaPReg p = (RaPReg)u64_ctz(s->regs);
        (s->what == SET ? l->add : l->remove)(p, s->from, s->to);
        return;
    }
    for (RaPRegSet r = registers & RA_CLASS_MASK(RA_INT); r; r &= r - 1) {
        bool free = l->free((RaPReg)u64_ctz(r), s->from, s->to);
        answers += free;
        if (free && !all) return;
    }
}

/* A value may cover a fixed operand of its own; lists cannot hold both, so the value alone counts, and what would put the
 * operand back is no step for them. */
static void for_lists(void) {
    vec_clear(&walls);
    memcpy(vec_extend(&mem, &walls, before.n), before.p, before.n * sizeof(uint64_t));
    for (uint32_t k = 0; k < steps.n; k++)
        if (steps.p[k].what == SET && steps.p[k].to - steps.p[k].from > 2)
            for (uint32_t at = steps.p[k].from; at < steps.p[k].to; at++)
                walls.p[at] &= ~steps.p[k].regs;
    lists_reset(&lists[1]);
    for (uint32_t k = 0; k < steps.n; k++) {
        Step *s = &steps.p[k];
        if (s->what == ASK) continue;
        RaPReg p = (RaPReg)u64_ctz(s->regs);
        uint32_t at = arrays_find(p, s->from);
        bool free = arrays_free(p, s->from, s->to);
        bool exact = !free && arrays[p].p[at].from == s->from && arrays[p].p[at].to == s->to;
        if (s->what == SET ? !free : !exact)
            s->what = NOTHING;
        else
            lists_step(&lists[1], s, false);
    }
}

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

enum { WAYS = 5, TURNS = 5 };
static double replay(uint32_t way) {
    double best = 1e9;
    for (uint32_t turn = 0; turn < TURNS; turn++) {
        const Structure *l = way ? &lists[(way - 1) / 2] : NULL;
        if (l)
            lists_reset(l);
        else
            words_reset();
        double t = seconds();
        for (uint32_t k = 0; k < steps.n; k++)
            if (l)
                lists_step(l, &steps.p[k], way % 2 == 0);
            else
                words_step(&steps.p[k]);
        t = seconds() - t;
        if (t < best) best = t;
    }
    return best;
}

static void module_of(const char *path) {
    static RaProblem p;
    FILE *f = fopen(path, "rb");
    if (!f) {
        perror(path);
        exit(1);
    }
    fseek(f, 0, SEEK_END);
    uint32_t n = (uint32_t)ftell(f);
    rewind(f);
    char *text = mem_alloc(&mem, n);
    if (fread(text, 1, n, f) != n) exit(1);
    fclose(f);
    RaReader reader;
    ra_problem_init(&p, &mem);
    ra_reader_init(&reader, text, n);
    RaCtx *c = ra_ctx_new(&mem);
    Diag d;
    diag_clear(&d);
    double time[WAYS] = {0};
    uint64_t asked = 0, changed = 0, functions = 0, left_out = 0;
    while (ra_read(&reader, &p, &d)) {
        RaOutput out;
        for (uint32_t turn = 0; turn < 2; turn++) { /* the first one makes the map */
            map = turn ? &c->ion->occ : NULL;
            vec_clear(&steps);
            if (!ra_run(c, RA_ALGO_ION, &p.f, &p.env, &out, &d)) exit(1);
        }
        map = NULL;
        registers = p.env.allocatable;
        if (steps.n == 0 || out.stats.fell_back) continue;
        time[0] += replay(0);
        for_lists();
        for (uint32_t k = 0; k < steps.n; k++) left_out += steps.p[k].what == NOTHING;
        functions++;
        for (uint32_t k = 0; k < steps.n; k++)
            *(steps.p[k].what == ASK ? &asked : &changed) += 1; /* by the map */
        for (uint32_t way = 1; way < WAYS; way++) time[way] += replay(way);
    }
    if (d.kind != DIAG_NONE) fprintf(stderr, "%s: %s\n", path, d.msg);
    printf("%-40s %9llu %8llu %9llu %9llu", path, (unsigned long long)functions,
           (unsigned long long)left_out, (unsigned long long)asked, (unsigned long long)changed);
    for (uint32_t way = 0; way < WAYS; way++)
        printf(" %12.1f", time[way] / (double)(asked + changed) * 1e9);
    printf("\n");
    ra_ctx_free(c);
    ra_problem_free(&p);
    mem_free(&mem, text, n);
}

int main(int argc, char **argv) {
    mem_init(&mem, NULL);
    ctx.mem = &mem;
    vec_push(&mem, &ctx.b, (IonBundle){0}); /* that of all ranges */
    printf("%-40s %9s %8s %9s %9s %12s %12s %12s %12s %12s\n", "ns per step", "functions",
           "left out", "asked", "changed", "words", "pages first", "pages all", "arrays first",
           "arrays all");
    for (int a = 1; a < argc; a++) module_of(argv[a]);
    return answers == 1;
}

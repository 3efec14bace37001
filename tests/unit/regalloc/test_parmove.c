/* Parallel moves: every map among two registers and three slots against a simulator, with a scratch register, and with
 * none, where a register in use is saved for the moment. */
#include <string.h>
#include "../cm.h"
#include "regalloc/ra_int.h"

enum { LOCS = 5, VICTIM = 7, SLOTS = 8 };

static uint32_t *cell(uint32_t regs[64], uint32_t slots[SLOTS], RaAlloc a) {
    return ra_is_reg(a) ? &regs[ra_alloc_preg(a)] : &slots[ra_alloc_slot_index(a)];
}

static void all_maps(RaSpare *sp) {
    const RaAlloc locs[LOCS] = {ra_alloc_reg(0), ra_alloc_reg(1), ra_alloc_slot(4),
                                ra_alloc_slot(5), ra_alloc_slot(6)};
    Mem m;
    mem_init(&m, NULL);
    RaCtx *c = ra_ctx_new(&m);
    uint32_t count = 1;
    for (uint32_t i = 0; i < LOCS; i++) count *= LOCS + 1;
    for (uint32_t code = 0; code < count; code++) {
        RaMove moves[LOCS];
        uint32_t n = 0, rest = code, want[LOCS];
        for (uint32_t i = 0; i < LOCS; i++, rest /= LOCS + 1) {
            uint32_t from = rest % (LOCS + 1);
            want[i] = from == LOCS ? i : from;
            if (from < LOCS) moves[n++] = (RaMove){locs[from], locs[i], ra_vreg(from, RA_INT)};
        }
        uint32_t regs[64], slots[SLOTS];
        memset(regs, 0xFF, sizeof regs);
        memset(slots, 0xFF, sizeof slots);
        regs[VICTIM] = 77;
        for (uint32_t i = 0; i < LOCS; i++) *cell(regs, slots, locs[i]) = i;
        RaMoves out = {0};
        ra_parallel_move(c, moves, n, sp, SLOTS, &out);
        for (uint32_t i = 0; i < out.n; i++) {
            RaMove mv = out.p[i];
            assert_false(ra_is_slot(mv.from) && ra_is_slot(mv.to));
            *cell(regs, slots, mv.to) = *cell(regs, slots, mv.from);
        }
        for (uint32_t i = 0; i < LOCS; i++)
            if (*cell(regs, slots, locs[i]) != want[i]) fail_msg("map %u, location %u", code, i);
        assert_int_equal(regs[VICTIM], 77);
        vec_free(&m, &out);
    }
    ra_ctx_free(c);
    assert_int_equal(m.live, 0);
}

static void all_small_parallel_moves_agree_with_a_simulator(void **state) {
    (void)state;
    all_maps(&(RaSpare){{15, 47}, {RA_PREG_NONE, RA_PREG_NONE}, 0, 2, false});
}

static void without_a_free_register_one_is_saved(void **state) {
    (void)state;
    all_maps(&(RaSpare){{RA_PREG_NONE, RA_PREG_NONE}, {VICTIM, 39}, 0, 2, false});
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_small_parallel_moves_agree_with_a_simulator),
        cmocka_unit_test(without_a_free_register_one_is_saved)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* operators.h — one operator after the other, on every type that has code, natively and in the interpreter: the same body of
 * text once takes its operands as parameters and returns its results, once reads and writes them through a pointer. */
#ifndef COT_TESTS_OPERATORS_H
#define COT_TESTS_OPERATORS_H
#include "clif/text.h"
#include "interp/interp.h"

/* In `ops`, `types` and `body`: words. OP and T in the body stand for each of them; v0 v1 v2 are operands of the types
 * named in `in`, v10 v11 the results named in `out`. */
typedef struct OpRow {
    const char *ops, *types, *in, *out, *body;
} OpRow;
#define INTS "i8 i16 i32 i64 i128"
static const OpRow op_rows[] = {
    {"iadd isub imul band bor bxor smin smax umin umax", INTS, "T T", "T", "v10 = OP v0, v1"},
    {"umulhi smulhi", "i8 i16 i32 i64", "T T", "T", "v10 = OP v0, v1"},
    {"ineg iabs bnot bitrev clz cls ctz popcnt", INTS, "T", "T", "v10 = OP v0"},
    {"bswap", "i16 i32 i64 i128", "T", "T", "v10 = OP v0"},
    {"ishl ushr sshr rotl rotr", INTS, "T i8", "T", "v10 = OP v0, v1"},
    {"ishl ushr sshr rotl rotr", INTS, "T i128", "T", "v10 = OP v0, v1"},
    {"eq ne slt sge sgt sle ult uge ugt ule", INTS, "T T", "i8", "v10 = icmp OP v0, v1"},
    {"eq ne slt sge sgt sle ult uge ugt ule", INTS, "T T", "T",
     "v3 = icmp OP v0, v1\nv10 = select v3, v1, v0"},
    {"select select_spectre_guard", "i8 i16 i32 i64 i128 f32 f64", "i128 T T", "T",
     "v10 = OP v0, v1, v2"},
    {"bitselect", INTS, "T T T", "T", "v10 = OP v0, v1, v2"},
    {"i8 i16 i32 i64 i128", INTS, "T", "OP", "v10 = bmask.OP v0"},
    {"uextend sextend", "i8 i16 i32 i64", "T", "i128", "v10 = OP.i128 v0"},
    {"i8 i16 i32 i64", "i128", "T", "OP", "v10 = ireduce.OP v0"},
    {"iconcat", "i64", "T T", "i128", "v10 = OP v0, v1"},
    {"isplit", "i128", "T", "i64 i64", "v10, v11 = OP v0"},
    {"uadd_overflow sadd_overflow usub_overflow ssub_overflow", INTS, "T T", "T i8",
     "v10, v11 = OP v0, v1"},
    {"umul_overflow smul_overflow", "i8 i16 i32 i64", "T T", "T i8", "v10, v11 = OP v0, v1"},
    {"uadd_overflow_cin sadd_overflow_cin usub_overflow_bin ssub_overflow_bin", INTS, "T T i8",
     "T i8", "v10, v11 = OP v0, v1, v2"},
    {"fcvt_to_sint_sat fcvt_to_uint_sat", "i8 i16", "f64", "T", "v10 = OP.T v0"},
    {"fcvt_to_sint_sat fcvt_to_uint_sat", "i8 i16", "f32", "T", "v10 = OP.T v0"},
    {"trapz trapnz", INTS, "T", "T", "OP v0, user7\nv10 = bnot v0"},
    {"add sub and nand or xor xchg umin umax smin smax", "i8 i16 i32 i64", "i64 T", "T i64",
     "v5 = stack_addr.i64 ss0\nstore v0, v5\nv10 = atomic_rmw.T OP v5, v1\nv11 = load.i64 v5"},
    {"uextend", "i8 i16 i32", "i64 T", "i64",
     "v5 = stack_addr.i64 ss0\nstore v0, v5\nv6 = atomic_rmw.T add v5, v1\nv10 = uextend.i64 v6"},
    {"atomic_cas", "i8 i16 i32 i64", "T T T", "T T",
     "v5 = stack_addr.i64 ss0\nstore v0, v5\nv10 = OP v5, v1, v2\nv11 = load.T v5"},
    {"atomic_cas", "i8 i16 i32 i64", "T T", "T T",
     "v5 = stack_addr.i64 ss0\nstore v0, v5\nv10 = OP v5, v0, v1\nv11 = load.T v5"},
    {"band bor bxor", "f16 f32 f64 f128", "T T", "T", "v10 = OP v0, v1"},
    {"bnot", "f16 f32 f64 f128", "T", "T", "v10 = OP v0"},
    {"bitselect", "f16 f32 f64 f128", "T T T", "T", "v10 = OP v0, v1, v2"},
    {"select", "f16 f128", "i8 T T", "T", "v10 = OP v0, v1, v2"},
    {"bitcast", "i16", "f16", "T", "v10 = OP.T v0"},
    {"bitcast", "f16", "i16", "T", "v10 = OP.T v0"},
    {"i128 f128", "i128 f128", "T", "OP", "v10 = bitcast.OP v0"},
    {"i128 i64x2 i8x16", "i128 f64x2", "T", "OP", "v10 = bitcast.OP little v0"},
    {"f128const", "f128", "T", "T", "v3 = OP const0\nv10 = bxor v0, v3"},
    {"i8x8 i16x4 i32x2 f32x2", "i64", "T", "T",
     "v3 = bitcast.OP little v0\nv10 = bitcast.T little v3"},
    {"f16const", "f16", "T", "T", "v3 = OP 0x1.8p0\nv10 = bxor v0, v3"},
    {"brif", INTS, "T", "i8",
     "v3 = iconst.i8 1\nv4 = iconst.i8 2\nOP v0, block1(v3), block1(v4)\nblock1(v10: i8):"},
    {"fcvt_to_sint fcvt_to_uint", "i8 i16", "f32", "T", "v10 = OP.T v0"},
    {"fcvt_to_sint fcvt_to_uint", "i8 i16", "f64", "T", "v10 = OP.T v0"},
    {"x86_cvtt2dq", "i32 i64", "f32", "T", "v10 = OP.T v0"},
    {"x86_cvtt2dq", "i32 i64", "f64", "T", "v10 = OP.T v0"},
    {"x86_cvtt2dq fcvt_to_sint_sat fcvt_to_uint_sat", "i32x4", "f32x4", "T", "v10 = OP.T v0"},
    {"x86_cvtt2dq fcvt_to_sint_sat fcvt_to_uint_sat", "i64x2", "f64x2", "T", "v10 = OP.T v0"},
    {"fcvt_from_sint fcvt_from_uint", "f64x2", "i64x2", "T", "v10 = OP.T v0"},
    {"fcvt_from_sint fcvt_from_uint", "f64x2", "i32x2", "T", "v10 = OP.T v0"},
    {"fcvt_from_sint fcvt_from_uint", "f32x2", "i32x2", "T", "v10 = OP.T v0"},
    {"i8x4 i16x2", "i32", "T", "T", "v3 = bitcast.OP little v0\nv10 = bitcast.T little v3"},
    {"i8x2 f16", "i16", "T", "T", "v3 = bitcast.OP little v0\nv10 = bitcast.T little v3"},
    {"x86_pshufb swizzle", "i8x16", "T T", "T", "v10 = OP v0, v1"},
    {"blendv", "i8x16 i16x8 i32x4 i64x2 i8x8", "T T T", "T", "v10 = OP v0, v1, v2"},
    {"snarrow unarrow uunarrow", "i64x2", "T T", "i32x4", "v10 = OP v0, v1"},
    {"snarrow unarrow uunarrow", "i32x4", "T T", "i16x8", "v10 = OP v0, v1"},
    {"snarrow unarrow uunarrow", "i16x8", "T T", "i8x16", "v10 = OP v0, v1"},
    {"snarrow unarrow uunarrow", "i32x2", "T T", "i16x4", "v10 = OP v0, v1"},
    {"vany_true vall_true", "i8x16 i32x4 f64x2 i16x4 f32x2 i8x4 i8x2", "T i64 i64", "i64 i64",
     "v3 = OP v0\nv10 = select v3, v1, v2\nv4 = uextend.i32 v3\nv11 = select v4, v2, v1"},
    {"vany_true vall_true", "i8x16 i16x8 f32x4 i8x8", "T", "i8", "v10 = OP v0"},
    {"swiden_low swiden_high uwiden_low uwiden_high", "i32x4", "T T", "i64x2",
     "v3 = OP v0\nv4 = OP v1\nv10 = imul v3, v4"},
    {"swiden_low swiden_high uwiden_low uwiden_high", "i16x8", "T T", "i32x4",
     "v3 = OP v0\nv4 = OP v1\nv10 = imul v3, v4"},
    {"imul", "i16x8", "T T", "i32x4",
     "v3 = swiden_low v0\nv4 = swiden_low v1\nv5 = swiden_high v0\nv6 = swiden_high v1\n"
     "v7 = OP v3, v4\nv8 = OP v5, v6\nv10 = iadd_pairwise v7, v8"},
    {"iadd_pairwise", "i16x8", "T", "i32x4",
     "v3 = swiden_low v0\nv4 = swiden_high v0\nv10 = OP v3, v4"},
    {"iadd_pairwise", "i16x8", "T", "i32x4",
     "v3 = uwiden_low v0\nv4 = uwiden_high v0\nv10 = OP v3, v4"},
    {"iadd_pairwise", "i8x16", "T", "i16x8",
     "v3 = swiden_low v0\nv4 = swiden_high v0\nv10 = OP v3, v4"},
    {"iadd_pairwise", "i8x16", "T", "i16x8",
     "v3 = uwiden_low v0\nv4 = uwiden_high v0\nv10 = OP v3, v4"},
    {"iadd", "i8x16", "T T i32x4", "i32x4",
     "v3 = swiden_low v0\nv4 = uwiden_low v1\nv5 = swiden_high v0\nv6 = uwiden_high v1\n"
     "v7 = imul v3, v4\nv8 = imul v5, v6\nv12 = swiden_low v7\nv13 = swiden_high v7\n"
     "v14 = swiden_low v8\nv15 = swiden_high v8\nv16 = iadd_pairwise v12, v13\n"
     "v17 = iadd_pairwise v14, v15\nv18 = iadd_pairwise v16, v17\nv10 = OP v18, v2"},
    {"band", "i8x16 i64x2 f32x4 i32x2", "T T", "T", "v3 = bnot v1\nv10 = OP v0, v3"},
    {"band bor bxor", "i8x16 f64x2 f32x2", "T T", "T", "v10 = OP v0, v1"},
    {"eq sgt ult", "i8x16 i32x4", "T T T", "T", "v3 = icmp OP v0, v1\nv10 = bitselect v3, v2, v0"},
    {"lt gt le", "f32x4", "T T", "T",
     "v3 = fcmp OP v0, v1\nv4 = bitcast.T little v3\nv10 = bitselect v4, v0, v1"},
    {"lt gt ule", "f64x2", "T T", "T",
     "v3 = fcmp OP v0, v1\nv4 = bitcast.T little v3\nv10 = bitselect v4, v1, v0"},
    {"lt gt le", "f32 f64", "T T", "T", "v3 = fcmp OP v0, v1\nv10 = select v3, v0, v1"},
    {"lt gt ge", "f32 f64", "T T", "T",
     "v3 = fcmp OP v0, v1\nv4 = uextend.i32 v3\nv10 = select v4, v1, v0"},
    {"bitselect", "i16x8", "T T", "T", "v3 = vconst.T const1\nv10 = OP v3, v0, v1"},
    {"vany_true vall_true", "i16x8 i64x2", "T T", "i8", "v3 = band v0, v1\nv10 = OP v3"},
    {"vany_true vall_true", "i16x8 i64x2", "T T", "i8",
     "v3 = bnot v1\nv4 = band v0, v3\nv10 = OP v4"},
    {"eq ne", "i8x16 i32x4 i16x4", "T T", "i8 i8",
     "v3 = icmp OP v0, v1\nv10 = vany_true v3\nv11 = vall_true v3"},
    {"fcvt_to_sint_sat", "i64x2", "f64x2", "i32x4",
     "v3 = OP.T v0\nv4 = vconst.T const2\nv10 = snarrow v3, v4"},
    {"fcvt_to_uint_sat", "i64x2", "f64x2", "i32x4",
     "v3 = OP.T v0\nv4 = vconst.T const2\nv10 = uunarrow v3, v4"},
    {"fcvt_from_sint", "f64x2", "i32x4", "T", "v3 = swiden_low v0\nv10 = OP.T v3"},
    {"fcvt_from_uint", "f64x2", "i32x4", "T", "v3 = uwiden_low v0\nv10 = OP.T v3"},
    {"i8 i32 i64", "i32 i64", "T OP", "T T",
     "v3 = iconst.T 1\nv4 = ishl v3, v1\nv5 = iconst.T -1\nv6 = iadd v4, v5\nv10 = band v0, v6\n"
     "v7 = isub v4, v3\nv11 = band v0, v7"},
    {"i8 i32 i64", "i32 i64", "T OP", "T T",
     "v3 = iconst.T 1\nv4 = ishl v3, v1\nv5 = iconst.T -1\nv6 = iadd v4, v5\nv10 = band v6, v0\n"
     "v7 = isub v4, v3\nv11 = band v7, v0"},
    {"fcvt_from_uint", "f32 f64", "i64", "T", "v10 = OP.T v0"},
    {"fcvt_to_uint fcvt_to_uint_sat", "i64", "f32", "T", "v10 = OP.T v0"},
    {"fcvt_to_uint fcvt_to_uint_sat", "i64", "f64", "T", "v10 = OP.T v0"},
    {"i8x16 f64x2", "i32x4 f32x4", "T T", "T",
     "v3 = bitcast.OP little v0\nv4 = bitcast.T little v3\nv5 = bitcast.OP little v1\n"
     "v6 = bitcast.T little v5\nv10 = bxor v4, v6"},
    {"fneg fabs", "f16 f128 f64x2 f32x2 f16x8", "T", "T", "v10 = OP v0"},
    {"fcopysign", "f16 f128 f64x2 f32x2 f16x8", "T T", "T", "v10 = OP v0, v1"},
    {"popcnt", "i8x16 i16x8 i32x4 i64x2 i32x2", "T", "T", "v10 = OP v0"},
    {"eq ne slt sge sgt sle ult uge ugt ule", "i8 i32 i64", "T T", "T i8",
     "v3 = isub v0, v1\nv4 = iconst.T 0\nv11 = icmp OP v3, v4\nv10 = bnot v3"},
    {"iadd isub band bor bxor", "i8 i32 i64", "T T", "T T",
     "v3 = OP v0, v1\nv10 = select v3, v0, v1\nv11 = bxor v3, v1"},
    {"ishl ushr sshr rotl", "i32 i64", "T T", "T T",
     "v4 = iconst.T 31\nv3 = OP v0, v4\nv10 = select v3, v0, v1\nv11 = bxor v3, v1"},
    {"iadd isub band ishl", "i32 i64", "T T", "T",
     "v3 = OP v0, v1\nv4 = iconst.T 7\nbrif v3, block1(v3), block1(v4)\nblock1(v10: T):"},
    {"band", "i32 i64", "T T", "T T",
     "v3 = iconst.T -1\nv4 = iadd v0, v3\nv5 = OP v0, v4\nv10 = select v5, v0, v1\n"
     "v6 = bxor v1, v3\nv7 = OP v0, v6\nv11 = iadd v7, v6"},
    {"band", "i32 i64", "T T", "T T",
     "v3 = iconst.T -1\nv6 = bxor v1, v3\nv10 = OP v6, v0\nv7 = bnot v0\nv11 = OP v7, v1"},
    {"bxor", "i8 i16 i32 i64", "T", "T", "v3 = iconst.T -1\nv10 = OP v0, v3"},
    {"swizzle", "i8x16", "T T", "T", "v10 = OP v0, v1"},
    {"fma", "f32 f64 f32x4 f64x2", "T T T", "T", "v3 = fneg v0\nv10 = OP v3, v1, v2"},
    {"fma", "f32 f64 f32x4 f64x2", "T T T", "T", "v3 = fneg v1\nv4 = fneg v2\nv10 = OP v0, v3, v4"},
    {"fma", "f32 f64 f32x4 f64x2", "T T T", "T", "v4 = fneg v2\nv10 = OP v0, v1, v4"},
    {"fma", "f32 f64 f32x4 f64x2", "T T", "T", "v10 = OP v0, v0, v1"},
    {"0 1 3", "i8x16 i16x8 i32x4 f32x4", "T T", "T i64",
     "v5 = stack_addr.i64 ss0\nv6 = iconst.i64 0\nstore v6, v5\nv3 = extractlane v0, OP\n"
     "store v3, v5\nv11 = load.i64 v5\nv10 = bxor v0, v1"},
    {"0 1", "i64x2 f64x2", "T T", "T i64",
     "v5 = stack_addr.i64 ss0\nv3 = extractlane v0, OP\n"
     "store v3, v5\nv11 = load.i64 v5\nv10 = bxor v0, v1"},
    {"0 1 3", "i8x16 i16x8 i32x4 f32x4", "T T", "T T",
     "v3 = extractlane v0, OP\nv10 = insertlane v1, v3, 2\nv11 = splat.T v3"},
    {"0 1", "i64x2 f64x2", "T T", "T T",
     "v3 = extractlane v0, OP\nv10 = insertlane v1, v3, 1\nv11 = splat.T v3"},
    {"i8x16", "i8", "i64 OP", "OP OP",
     "v5 = stack_addr.i64 ss0\nstore v0, v5\nv3 = load.T v5\nv10 = splat.OP v3\nv4 = load.T "
     "v5+1\nv11 = insertlane v1, v4, 3"},
    {"i16x8", "i16", "i64 OP", "OP OP",
     "v5 = stack_addr.i64 ss0\nstore v0, v5\nv3 = load.T v5\nv10 = splat.OP v3\nv4 = load.T "
     "v5+1\nv11 = insertlane v1, v4, 3"},
    {"i32x4", "i32", "i64 OP", "OP OP",
     "v5 = stack_addr.i64 ss0\nstore v0, v5\nv3 = load.T v5\nv10 = splat.OP v3\nv4 = load.T "
     "v5+1\nv11 = insertlane v1, v4, 3"},
    {"f32x4", "f32", "i64 OP", "OP OP",
     "v5 = stack_addr.i64 ss0\nstore v0, v5\nv3 = load.T v5\nv10 = splat.OP v3\nv4 = load.T "
     "v5+1\nv11 = insertlane v1, v4, 3"},
    {"i64x2", "i64", "i64 OP", "OP OP",
     "v5 = stack_addr.i64 ss0\nstore v0, v5\nv3 = load.T v5\nv10 = splat.OP v3\nv4 = load.T "
     "v5\nv11 = insertlane v1, v4, 1"},
    {"f64x2", "f64", "i64 OP", "OP OP",
     "v5 = stack_addr.i64 ss0\nstore v0, v5\nv3 = load.T v5\nv10 = splat.OP v3\nv4 = load.T "
     "v5\nv11 = insertlane v1, v4, 0"},
    {"scalar_to_vector", "i32x4", "i64", "T",
     "v5 = stack_addr.i64 ss0\nstore v0, v5\nv3 = load.i32 v5\nv10 = OP.T v3"},
    {"scalar_to_vector", "i64x2", "i64", "T",
     "v5 = stack_addr.i64 ss0\nstore v0, v5\nv3 = load.i64 v5\nv10 = OP.T v3"},
    {"scalar_to_vector", "f32x4", "i64", "T",
     "v5 = stack_addr.i64 ss0\nstore v0, v5\nv3 = load.f32 v5\nv10 = OP.T v3"},
    {"scalar_to_vector", "f64x2", "i64", "T",
     "v5 = stack_addr.i64 ss0\nstore v0, v5\nv3 = load.f64 v5\nv10 = OP.T v3"},
    {"scalar_to_vector", "i8x16", "i64", "T",
     "v5 = stack_addr.i64 ss0\nstore v0, v5\nv3 = load.i8 v5\nv10 = OP.T v3"},
    {"brif", "i128", "T T", "i8",
     "v2 = icmp slt v0, v1\nv3 = iconst.i8 1\nv4 = iconst.i8 2\nOP v2, block1(v3), block1(v4)\n"
     "block1(v10: i8):"},
};
/* What is refused without a feature. */
static const OpRow op_rows_cmpxchg16b[] = {
    {"add sub and nand or xor xchg umin umax smin smax", "i128", "i128 T", "T i128",
     "v5 = stack_addr.i64 ss0\nstore v0, v5\nv10 = atomic_rmw.T OP v5, v1\nv11 = load.i128 v5"},
    {"atomic_cas", "i128", "T T T", "T T",
     "v5 = stack_addr.i64 ss0\nstore v0, v5\nv10 = OP v5, v1, v2\nv11 = load.T v5"},
    {"atomic_cas", "i128", "T T", "T T",
     "v5 = stack_addr.i64 ss0\nstore v0, v5\nv10 = OP v5, v0, v1\nv11 = load.T v5"},
    {"atomic_load", "i128", "T", "T", "v5 = stack_addr.i64 ss0\nstore v0, v5\nv10 = OP.T v5"},
    {"atomic_store", "i128", "T", "T", "v5 = stack_addr.i64 ss0\nOP v0, v5\nv10 = load.T v5"},
};
static const OpRow op_rows_ssse3[] = {
    {"x86_pmulhrsw", "i16x8 i16x4", "T T", "T", "v10 = OP v0, v1"},
    {"x86_pmaddubsw", "i8x16", "T T", "i16x8", "v10 = OP v0, v1"},
};
#define OP_TABLE(rows, needs) \
    { rows, sizeof rows / sizeof *rows, needs }
static const struct {
    const OpRow *rows;
    unsigned n;
    uint64_t needs;
} op_tables[] = {OP_TABLE(op_rows, 0),
                 OP_TABLE(op_rows_cmpxchg16b, (uint64_t)1 << X64_HAS_CMPXCHG16B),
                 OP_TABLE(op_rows_ssse3, (uint64_t)1 << X64_HAS_SSSE3)};

static unsigned op_split(const char *list, char words[16][32], const char *op, const char *t) {
    unsigned n = 0;
    for (const char *p = list; *p; p += *p == ' ') {
        size_t len = strcspn(p, " ");
        snprintf(words[n], 32, "%.*s", (int)len, p);
        if (op && strcmp(words[n], "OP") == 0) snprintf(words[n], 32, "%s", op);
        if (t && strcmp(words[n], "T") == 0) snprintf(words[n], 32, "%s", t);
        n++;
        p += len;
    }
    return n;
}
static bool op_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}
static void op_body(StrBuf *o, const char *body, const char *op, const char *t) {
    for (const char *p = body; *p;) {
        size_t n = 1;
        if (op_word(*p))
            while (op_word(p[n])) n++;
        if (n == 2 && memcmp(p, "OP", 2) == 0)
            sb_puts(o, op);
        else if (n == 1 && *p == 'T')
            sb_puts(o, t);
        else
            sb_printf(o, "%.*s", (int)n, p);
        p += n;
    }
    sb_putc(o, '\n');
}

static void op_function(StrBuf *o, const OpRow *r, const char *op, const char *t, bool native) {
    char in[16][32], out[16][32];
    unsigned ni = op_split(r->in, in, op, t), no = op_split(r->out, out, op, t);
    sb_clear(o);
    sb_puts(o, "function %f(");
    if (native) sb_puts(o, "i64");
    for (unsigned k = 0; k < ni && !native; k++) sb_printf(o, "%s%s", k ? ", " : "", in[k]);
    sb_putc(o, ')');
    for (unsigned k = 0; k < no && !native; k++) sb_printf(o, "%s%s", k ? ", " : " -> ", out[k]);
    sb_puts(o, " system_v {\n    ss0 = explicit_slot 32, align = 16\n    const0 = "
               "0x00112233445566778899aabbccddee7f\n    const1 = "
               "0x00ff00ffffffff00ff0000ff00ffff00\n    const2 = "
               "0x00000000000000000000000000000000\nblock0(");
    if (native) sb_puts(o, "v100: i64");
    for (unsigned k = 0; k < ni && !native; k++) sb_printf(o, "%sv%u: %s", k ? ", " : "", k, in[k]);
    sb_puts(o, "):\n");
    for (unsigned k = 0; k < ni && native; k++)
        sb_printf(o, "v%u = load.%s v100+%u\n", k, in[k], 16 * k);
    op_body(o, r->body, op, t);
    for (unsigned k = 0; k < no && native; k++)
        sb_printf(o, "store v%u, v100+%u\n", 10 + k, 128 + 16 * k);
    sb_puts(o, "return");
    for (unsigned k = 0; k < no && !native; k++) sb_printf(o, "%sv%u", k ? ", " : " ", 10 + k);
    sb_puts(o, "\n}\n");
}

static void op_parse(Mem *m, const StrBuf *text, ClifFunc *f) {
    Diag d;
    diag_clear(&d);
    ClifReader *r = clif_reader_new(m, sb_cstr((StrBuf *)(uintptr_t)text), (uint32_t)text->n, &d);
    if (!clif_reader_next(r, f, NULL))
        fail_msg("%s\n%s", d.msg, sb_cstr((StrBuf *)(uintptr_t)text));
    clif_reader_free(r);
}

static bool op_runs; /* this processor has the features; else it is compiled only */
static uint64_t op_seed = 1;
static SemValue op_operand(ClifType t) {
    static const uint64_t edge[] = {0,
                                    1,
                                    2,
                                    7,
                                    63,
                                    64,
                                    127,
                                    128,
                                    255,
                                    0x7FFF,
                                    0x8000,
                                    0x7FFFFFFF,
                                    0x80000000,
                                    INT64_MAX,
                                    (uint64_t)INT64_MIN,
                                    UINT64_MAX,
                                    0x3FF0000000000000,
                                    0xC0F0000000000000,
                                    0x3F800000,
                                    0x42FE0000,
                                    0xC3000000,
                                    0x4060000000000000,
                                    0x7FC00000,
                                    0x7FF8000000000000};
    SemU128 x = 0;
    for (int k = 0; k < 2; k++) {
        uint64_t w = rnd(&op_seed), h = rnd(&op_seed) >> 33;
        x = x << 64 |
            (h & 1 ? edge[(h >> 1) % (sizeof edge / sizeof *edge)] : w >> (h >> 1 & 3) * 16);
    }
    SemValue v = {.type = t};
    unsigned bits = clif_type_bits(t);
    if (bits < 128) x &= ((SemU128)1 << bits) - 1;
    v.w[0] = (uint64_t)x;
    v.w[1] = (uint64_t)(x >> 64);
    return v;
}
/* The same bits, or two NaNs, in every lane. */
static bool op_same(SemValue a, SemValue b) {
    unsigned bits = clif_lane_bits(a.type);
    ClifType lane = clif_lane_type(a.type);
    for (unsigned k = 0; k < clif_type_lanes(a.type); k++) {
        SemU128 x = sem_lane(a, k), y = sem_lane(b, k);
        SemU128 inf = lane == CLIF_F32 ? 0x7F800000 : (SemU128)0x7FF << 52,
                mask = ((SemU128)1 << (bits - 1)) - 1;
        bool nans = (lane == CLIF_F32 || lane == CLIF_F64) && (x & mask) > inf && (y & mask) > inf;
        if (x != y && !nans) return false;
    }
    return true;
}

static void op_check(Exec *x, ClifFunc *model, const OpRow *r, const char *op, const char *t,
                     StrBuf *text) {
    Diag d;
    diag_clear(&d);
    op_function(text, r, op, t, false);
    op_parse(&x->mem, text, model);
    op_function(text, r, op, t, true);
    clif_func_clear(&x->f);
    op_parse(&x->mem, text, &x->f);
    if (!clif_verify(&x->vc, &x->f, &d) || !mach_compile(x->mc, &x->f, &x->out, &d))
        fail_msg("%s\n%s", d.msg, sb_cstr(text));
    if (!op_runs) return;
    exec_link(x);
    Interp it;
    interp_init(&it, &x->mem);
    uint32_t fn = interp_add(&it, model);
    for (int run = 0; run < 40; run++) {
        _Alignas(16) uint8_t buf[256] = {0};
        SemValue arg[8];
        SemValues res = {0};
        for (uint32_t k = 0; k < model->sig.nparams; k++) {
            arg[k] = op_operand(model->abi_params.p[model->sig.params + k].type);
            memcpy(buf + 16 * k, arg[k].w, 16);
        }
        InterpStatus st = interp_call(&it, fn, arg, model->sig.nparams, &res, &d);
        if (st != INTERP_OK && st != INTERP_TRAP) fail_msg("%s\n%s", d.msg, sb_cstr(text));
        ClifTrap trap = EXEC(EXEC_FN(x, void (*)(void *))(buf));
        bool same = trap == (st == INTERP_TRAP ? it.trap : CLIF_TRAP_NONE);
        for (uint32_t k = 0; same && !trap && k < res.n; k++) {
            SemValue got = {.type = res.p[k].type};
            memcpy(got.w, buf + 128 + 16 * k, clif_type_bytes(got.type));
            same = op_same(got, res.p[k]);
        }
        if (!same) {
            exec_show(x, NULL);
            fail_msg("trap %u; operands %llx:%llx %llx:%llx; result %llx:%llx", trap,
                     (long long)arg[0].w[1], (long long)arg[0].w[0], (long long)arg[1].w[1],
                     (long long)arg[1].w[0], (long long)m_load((uintptr_t)(buf + 136), 8),
                     (long long)m_load((uintptr_t)(buf + 128), 8));
        }
        vec_free(&x->mem, &res);
    }
    interp_free(&it);
}

/* Every operator and type of a row. */
static void op_try(Exec *x, ClifFunc *model, const OpRow *r, StrBuf *text) {
    char ops[16][32], types[16][32];
    unsigned n = op_split(r->ops, ops, NULL, NULL), m = op_split(r->types, types, NULL, NULL);
    for (unsigned k = 0; k < n; k++)
        for (unsigned j = 0; j < m; j++) {
            clif_func_clear(model);
            op_check(x, model, r, ops[k], types[j], text);
        }
}

static void operators_agree_with_the_interpreter(void **state) {
    (void)state;
    static Exec x;
    exec_init(&x);
    ClifFunc model;
    clif_func_init(&model, &x.mem);
    StrBuf text;
    sb_init(&text, &x.mem);
    static const char *const sets[] = {"x86-64",         "nehalem", "sandybridge",   "x86-64-v3",
                                       "skylake-avx512", "icelake", "sapphirerapids"};
    uint64_t host = x64_host_flags();
    for (unsigned s = 0; s < sizeof sets / sizeof *sets + 1; s++) {
        bool stress = s == sizeof sets / sizeof *sets, found;
        uint64_t flags = stress ? host : x64_preset_flags(sets[s], &found);
        op_runs = !(flags & ~host);
        exec_settings(&x, flags, stress ? 77 : 0, stress);
        for (unsigned t = 0; t < sizeof op_tables / sizeof *op_tables; t++)
            for (unsigned i = 0; i < op_tables[t].n && !(op_tables[t].needs & ~flags); i++)
                op_try(&x, &model, &op_tables[t].rows[i], &text);
    }
    sb_free(&text);
    clif_func_free(&model);
    exec_free(&x);
}
#endif

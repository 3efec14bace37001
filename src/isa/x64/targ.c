/* isa/x64/targ.c — the vtable, the processor features of this machine, processor presets. */
#include "image/cpu.h"
#include "image/image.h"
#include "isa/x64/x64.h"

const char *const x64_flag_names[] = {
#define X64_FLAG(NAME, text) text,
#include "isa/x64/settings.def"
#undef X64_FLAG
    NULL};

#ifdef COT_CHECKED
uint32_t x64_rule_hits[X64_MAX_RULES];
#endif

#define F(n) ((uint64_t)1 << X64_HAS_##n)
uint64_t x64_host_flags(void) {
    uint64_t f = 0;
    if (img_host_arch() != IMG_ARCH_X86_64) return 0;
    uint64_t host = img_host_cpu();
#define X64_FLAG(NAME, text) \
    if (host >> IMG_CPU_X86_64_##NAME & 1) f |= F(NAME);
#include "isa/x64/settings.def"
#undef X64_FLAG
    return f;
}

/* Processors by name, with what they really have: at least what the reference's presets of the same names say, which leave out
 * AVX and AVX2 of some. */
#define SSE42 (F(SSE3) | F(SSSE3) | F(SSE41) | F(SSE42))
#define CORE2 (F(SSE3) | F(SSSE3) | F(CMPXCHG16B))
#define NEHALEM (SSE42 | F(POPCNT) | F(CMPXCHG16B))
#define SANDYBRIDGE (NEHALEM | F(AVX))
#define HASWELL (SANDYBRIDGE | F(AVX2) | F(FMA) | F(BMI1) | F(BMI2) | F(LZCNT))
#define ALDERLAKE (HASWELL | F(AVX_VNNI))
#define SKYLAKE_AVX512 (HASWELL | F(AVX512F) | F(AVX512DQ) | F(AVX512VL))
#define CASCADELAKE (SKYLAKE_AVX512 | F(AVX512VNNI))
#define CANNONLAKE (SKYLAKE_AVX512 | F(AVX512VBMI))
#define ICELAKE (CANNONLAKE | F(AVX512BITALG) | F(AVX512VNNI))
#define SAPPHIRERAPIDS (ICELAKE | F(AVX_VNNI))
#define K8_SSE3 (F(SSE3) | F(CMPXCHG16B))
#define BARCELONA (K8_SSE3 | F(POPCNT) | F(LZCNT))
#define BTVER1 (CORE2 | F(POPCNT) | F(LZCNT))
#define BDVER1 (SANDYBRIDGE | F(LZCNT))
#define BDVER2 (BDVER1 | F(FMA) | F(BMI1))
static const struct {
    const char *name;
    uint64_t flags;
} presets[] = {
    {"baseline", 0},
    {"sse3", F(SSE3)},
    {"ssse3", F(SSE3) | F(SSSE3)},
    {"sse41", F(SSE3) | F(SSSE3) | F(SSE41)},
    {"sse42", SSE42},
    {"x86-64", 0},
    {"x86-64-v2", NEHALEM},
    {"x86-64-v3", HASWELL},
    {"x86-64-v4", SKYLAKE_AVX512},
    {"nocona", K8_SSE3},
    {"core2", CORE2},
    {"penryn", CORE2 | F(SSE41)},
    {"atom", CORE2},
    {"bonnell", CORE2},
    {"silvermont", NEHALEM},
    {"slm", NEHALEM},
    {"goldmont", NEHALEM},
    {"goldmont-plus", NEHALEM},
    {"tremont", NEHALEM},
    {"nehalem", NEHALEM},
    {"corei7", NEHALEM},
    {"westmere", NEHALEM},
    {"sandybridge", SANDYBRIDGE},
    {"corei7-avx", SANDYBRIDGE},
    {"ivybridge", SANDYBRIDGE},
    {"core-avx-i", SANDYBRIDGE},
    {"haswell", HASWELL},
    {"core-avx2", HASWELL},
    {"broadwell", HASWELL},
    {"skylake", HASWELL},
    {"alderlake", ALDERLAKE},
    {"raptorlake", ALDERLAKE},
    {"meteorlake", ALDERLAKE},
    {"sierraforest", ALDERLAKE},
    {"grandridge", ALDERLAKE},
    {"knl", HASWELL | F(AVX512F)},
    {"knm", HASWELL | F(AVX512F)},
    {"skylake-avx512", SKYLAKE_AVX512},
    {"skx", SKYLAKE_AVX512},
    {"cascadelake", CASCADELAKE},
    {"cooperlake", CASCADELAKE},
    {"cannonlake", CANNONLAKE},
    {"icelake", ICELAKE},
    {"icelake-client", ICELAKE},
    {"icelake-server", ICELAKE},
    {"tigerlake", ICELAKE},
    {"sapphirerapids", SAPPHIRERAPIDS},
    {"graniterapids", SAPPHIRERAPIDS},
    {"opteron", 0},
    {"k8", 0},
    {"athlon64", 0},
    {"athlon-fx", 0},
    {"opteron-sse3", K8_SSE3},
    {"k8-sse3", K8_SSE3},
    {"athlon64-sse3", K8_SSE3},
    {"barcelona", BARCELONA},
    {"amdfam10", BARCELONA},
    {"btver1", BTVER1},
    {"btver2", BTVER1 | SANDYBRIDGE | F(BMI1)},
    {"bdver1", BDVER1},
    {"bdver2", BDVER2},
    {"bdver3", BDVER2},
    {"bdver4", BDVER2 | F(AVX2) | F(BMI2)},
    {"znver1", HASWELL},
    {"znver2", HASWELL},
    {"znver3", HASWELL},
    {"znver4", ICELAKE},
};

uint64_t x64_preset_flags(const char *name, bool *found) {
    for (unsigned i = 0; i < sizeof presets / sizeof presets[0]; i++) {
        if (strcmp(presets[i].name, name)) continue;
        *found = true;
        return presets[i].flags;
    }
    *found = false;
    return 0;
}

static const char *preset_name(unsigned i) {
    return i < sizeof presets / sizeof presets[0] ? presets[i].name : NULL;
}

static RaClass reg_class(ClifType t) {
    return x64_is_float(t) ? RA_FLOAT : RA_INT;
}

static void patch32(uint8_t *field, int64_t delta) { /* the field holds an addend */
    uint32_t x;
    memcpy(&x, field, 4);
    x += (uint32_t)delta;
    memcpy(field, &x, 4);
}
static const MachLabelKind label_kinds[] = {
    [X64_LABEL_REL32] = {"rel32", 4, 4, INT32_MAX, INT32_MAX, patch32},
    [X64_LABEL_TABLE] = {"table32", 4, 0, INT32_MAX, INT32_MAX, patch32},
};

/* psABI, figure 3.36 */
#define X4(n) n, n + 1, n + 2, n + 3
#define NO4 255, 255, 255, 255
static const MachDwarf dwarf = {
    .reg = {0,   2,   1,   3,      7,      6,      4,      5,   X4(8), X4(12), NO4,
            NO4, NO4, NO4, X4(17), X4(21), X4(25), X4(29), NO4, NO4,   NO4,    NO4},
    .return_column = 16,
    .code_align = 1,
    .data_align = -8,
    .cfa_reg = RSP,
    .cfa_offset = 8,
    .return_offset = -8,
    .frame_reg = RBP,
    .context_reg = R15,
    .vectors = 17,
};
#undef X4
#undef NO4

const IsaVtable isa_x64 = {
    .name = "x86_64",
    .code_alignment = 16,
    .pointer_bytes = 8,
    .max_inst_bytes = 15,
    .mean_inst_bytes = 5,
    .line_bytes = 64,
    .flag_names = x64_flag_names,
    .host_flags = x64_host_flags,
    .preset_flags = x64_preset_flags,
    .preset_name = preset_name,
    .ra_env = x64_ra_env,
    .reg_class = reg_class,
    .transparent = x64_transparent,
    .lower_inst = x64_lower_inst,
    .lower_branch = x64_lower_branch,
    .lower_landing = x64_lower_landing,
    .lower_copy = x64_lower_copy,
    .lower_jump = x64_lower_jump,
    .lower_args = x64_lower_args,
    .emit = x64_emit,
    .emit_move = x64_emit_move,
    .emit_trap_stub = x64_emit_trap_stub,
    .fill = x64_fill,
    .emit_prologue = x64_prologue,
    .frame_layout = x64_frame_layout,
    .print = x64_print,
    .preg_name = x64_preg_name,
    .decode = x64_decode,
    .label_kinds = label_kinds,
    .dwarf = &dwarf,
};

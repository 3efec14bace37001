/* tools/instgen.c — from the instruction tables to what the rules need.
 *
 *   instgen clif-isle      the opcode enum and one extractor per CLIF opcode, from clif/opcodes.def
 *   instgen clif-h         the C names of that enum
 *   instgen x64-isle       one constructor declaration per row of isa/x64/insts.def
 *   instgen x64-h          the C inline behind each: a call of the row's form with the row's number
 * Output goes to standard output or the file given by -o. */
#include <stdio.h>
#include <string.h>

typedef struct {
    const char *name, *text, *format;
} ClifRow;
static const ClifRow clif_rows[] = {
#define CLIF_OPCODE(NAME, text, Format, ...) {#NAME, text, #Format},
#include "clif/opcodes.def"
#undef CLIF_OPCODE
};
typedef struct {
    const char *name, *form, *flags;
} InstRow;
static const InstRow x64_rows[] = {
#define X64_INST(NAME, text, FORM, flags, ...) {#NAME, #FORM, #flags},
#include "isa/x64/insts.def"
#undef X64_INST
};

typedef struct {
    const char *format, *types, *vars, *extractor;
} FormatRow;
static const FormatRow formats[] = {
    {"NullAry", "Type", "ty", "inst_0"},
    {"Unary", "Type Value", "ty a", "inst_1"},
    {"UnaryImm", "Type u64", "ty k", "inst_imm64"},
    {"UnaryIeee16", "Type u64", "ty k", "inst_imm64"},
    {"UnaryIeee32", "Type u64", "ty k", "inst_imm64"},
    {"UnaryIeee64", "Type u64", "ty k", "inst_imm64"},
    {"UnaryGlobalValue", "Type u32", "ty g", "inst_entity_a"},
    {"Binary", "Type Value Value", "ty a b", "inst_2"},
    {"Ternary", "Type Value Value Value", "ty a b c", "inst_3"},
    {"BinaryImm8", "Type Value u8", "ty a k", "inst_lane"},
    {"TernaryImm8", "Type Value Value u8", "ty a b k", "inst_lane_2"},
    {"UnaryConst", "Type u32", "ty c", "inst_entity_a"},
    {"Shuffle", "Type Value Value u32", "ty a b m", "inst_shuffle"},
    {"IntCompare", "Type IntCC Value Value", "ty cc a b", "inst_icmp"},
    {"FloatCompare", "Type FloatCC Value Value", "ty cc a b", "inst_fcmp"},
    {"FuncAddr", "Type u32", "ty fn", "inst_entity_a"},
    {"Load", "Type u16 Value i32", "ty flags a off", "inst_load"},
    {"Store", "Type u16 Value Value i32", "ty flags x a off", "inst_store"},
    {"LoadNoOffset", "Type u16 Value", "ty flags a", "inst_load0"},
    {"StoreNoOffset", "Type u16 Value Value", "ty flags x a", "inst_store0"},
    {"AtomicRmw", "Type u16 u8 Value Value", "ty flags op a x", "inst_rmw"},
    {"AtomicCas", "Type u16 Value Value Value", "ty flags a e x", "inst_cas"},
    {"StackAddr", "Type u32 i32", "ty slot off", "inst_stack"},
    {"Trap", "u8", "code", "inst_trap"},
    {"CondTrap", "Type Value u8", "ty a code", "inst_condtrap"},
    {"IntAddTrap", "Type Value Value u8", "ty a b code", "inst_addtrap"},
};
typedef struct {
    const char *form, *types, *ret, *cparams, *cargs;
} FormRow;
static const FormRow forms[] = {
    {"ALU", "Type Reg Rmi", "Reg", "ClifType t, RaVReg a, X64Rm b", "t, a, b"},
    {"CMP", "Type Reg Rmi", "Unit", "ClifType t, RaVReg a, X64Rm b", "t, a, b"},
    {"TEST", "Type Reg Rmi", "Unit", "ClifType t, RaVReg a, X64Rm b", "t, a, b"},
    {"ALUM", "Type Amode Rmi", "Unit", "ClifType t, X64Rm a, X64Rm b", "t, a, b"},
    {"ST", "Type Amode Rmi", "Unit", "ClifType t, X64Rm a, X64Rm b", "t, a, b"},
    {"RMR", "Type Reg Rm", "Reg", "ClifType t, RaVReg a, X64Rm b", "t, a, b"},
    {"RM", "Type Rm", "Reg", "ClifType t, X64Rm a", "t, a"},
    {"RMI", "Type Rm i64", "Reg", "ClifType t, X64Rm a, int64_t k", "t, a, k"},
    {"XST", "Type Amode Reg", "Unit", "ClifType t, X64Rm a, RaVReg b", "t, a, b"},
    {"R1", "Type Reg", "Reg", "ClifType t, RaVReg a", "t, a"},
    {"SHIFT", "Type Reg Rmi", "Reg", "ClifType t, RaVReg a, X64Rm b", "t, a, b"},
    {"UU", "Type Reg Rm", "Unit", "ClifType t, RaVReg a, X64Rm b", "t, a, b"},
    {"MVX", "Type Reg", "Reg", "ClifType t, RaVReg a", "t, a"},
    {"VRMR", "Type Reg Rm", "Reg", "ClifType t, RaVReg a, X64Rm b", "t, a, b"},
    {"VRMV", "Type Rm Reg", "Reg", "ClifType t, X64Rm a, RaVReg b", "t, a, b"},
    {"VM", "Type Rm", "Reg", "ClifType t, X64Rm a", "t, a"},
    {"MOVI", "Type u64", "Reg", "ClifType t, uint64_t k", "t, k"},
    {"RMRI", "Type Reg Rm u8", "Reg", "ClifType t, RaVReg a, X64Rm b, uint8_t k", "t, a, b, k"},
    {"XSHI", "Type Reg u8", "Reg", "ClifType t, RaVReg a, uint8_t k", "t, a, k"},
    {"MVXI", "Type Reg u8", "Reg", "ClifType t, RaVReg a, uint8_t k", "t, a, k"},
    {"FMA", "Type Reg Reg Rm", "Reg", "ClifType t, RaVReg a, RaVReg b, X64Rm c", "t, a, b, c"},
    {"FMAI", "Type Reg Reg Rm u8", "Reg", "ClifType t, RaVReg a, RaVReg b, X64Rm c, uint8_t k",
     "t, a, b, c, k"},
    {"BLEND", "Type Reg Reg Rm", "Reg", "ClifType t, RaVReg m, RaVReg b, X64Rm a", "t, m, b, a"},
    {"XSTI", "Type Amode Reg u8", "Unit", "ClifType t, X64Rm a, RaVReg b, uint8_t k", "t, a, b, k"},
    {"SETCC", "Cond1", "Reg", "uint8_t cc", "cc"},
};
#define COUNT(a) (sizeof(a) / sizeof *(a))

static void lower_case(char *to, const char *from) {
    for (; *from; from++) *to++ = (char)(*from >= 'A' && *from <= 'Z' ? *from + 32 : *from);
    *to = 0;
}

static void clif_isle(FILE *o) {
    fputs("(type Opcode extern (enum", o);
    for (unsigned i = 0; i < COUNT(clif_rows); i++) fprintf(o, "\n  %s", clif_rows[i].name);
    fputs("))\n(decl inst_op (Opcode) Inst)\n(extern extractor infallible inst_op isle_inst_op)\n",
          o);
    for (unsigned i = 0; i < COUNT(clif_rows); i++)
        for (unsigned k = 0; k < COUNT(formats); k++)
            if (strcmp(clif_rows[i].format, formats[k].format) == 0)
                fprintf(o,
                        "(decl %s (%s) Inst)\n(extractor (%s %s) (and (inst_op (Opcode.%s)) (%s "
                        "%s)))\n",
                        clif_rows[i].text, formats[k].types, clif_rows[i].text, formats[k].vars,
                        clif_rows[i].name, formats[k].extractor, formats[k].vars);
}

static void clif_h(FILE *o) {
    for (unsigned i = 0; i < COUNT(clif_rows); i++)
        fprintf(o, "#define Opcode_%s CLIF_OP_%s\n", clif_rows[i].name, clif_rows[i].name);
}

static void x64(FILE *o, int header) {
    for (unsigned i = 0; i < COUNT(x64_rows); i++) {
        char n[64];
        lower_case(n, x64_rows[i].name);
        if (strstr(x64_rows[i].flags, "CC") && strcmp(x64_rows[i].form, "SETCC")) continue;
        for (unsigned k = 0; k < COUNT(forms); k++) {
            const FormRow *f = &forms[k];
            if (strcmp(x64_rows[i].form, f->form)) continue;
            if (header)
                fprintf(o,
                        "static inline %s x64_c_%s(LowerCtx *L, %s) { return x64_form_%s(L, "
                        "X64_%s, %s); }\n",
                        strcmp(f->ret, "Unit") ? "RaVReg" : "Unit", n, f->cparams, f->form,
                        x64_rows[i].name, f->cargs);
            else
                fprintf(o, "(decl x64_%s (%s) %s)\n(extern constructor x64_%s x64_c_%s)\n", n,
                        f->types, f->ret, n, n);
        }
    }
}

int main(int argc, char **argv) {
    FILE *o = stdout;
    if (argc == 4 && strcmp(argv[2], "-o") == 0) o = fopen(argv[3], "w");
    if (argc < 2 || !o) {
        fputs("usage: instgen clif-isle|clif-h|x64-isle|x64-h [-o FILE]\n", stderr);
        return 2;
    }
    if (strcmp(argv[1], "clif-isle") == 0)
        clif_isle(o);
    else if (strcmp(argv[1], "clif-h") == 0)
        clif_h(o);
    else if (strcmp(argv[1], "x64-isle") == 0)
        x64(o, 0);
    else if (strcmp(argv[1], "x64-h") == 0)
        x64(o, 1);
    else
        return 2;
    return fclose(o) ? 1 : 0;
}

# Generated: extractors of CLIF opcodes, constructors of instructions, the rules' decision trees.
set(G "${COT_GEN_DIR}/isa/x64")
set(CLIF_DEFS "${CMAKE_SOURCE_DIR}/src/clif/opcodes.def" "${COT_FOLDER_DIR}/insts.def")
cot_generate(OUTPUT isa/x64/clif.isle COMMAND instgen clif-isle -o ${G}/clif.isle DEPENDS ${CLIF_DEFS})
cot_generate(OUTPUT isa/x64/clif_ops.h COMMAND instgen clif-h -o ${G}/clif_ops.h DEPENDS ${CLIF_DEFS})
cot_generate(OUTPUT isa/x64/insts.isle COMMAND instgen x64-isle -o ${G}/insts.isle DEPENDS ${CLIF_DEFS})
cot_generate(OUTPUT isa/x64/insts_ctors.h COMMAND instgen x64-h -o ${G}/insts_ctors.h DEPENDS ${CLIF_DEFS})
set(X64_ISLE "${CMAKE_SOURCE_DIR}/src/mach/prelude.isle" "${G}/clif.isle" "${G}/insts.isle" "${COT_FOLDER_DIR}/inst.isle" "${COT_FOLDER_DIR}/lower.isle" "${COT_FOLDER_DIR}/vector.isle"
    "${COT_FOLDER_DIR}/i128.isle")
cot_generate(OUTPUT isa/x64/rules.c COMMAND rulec -o ${G}/rules.c --header ${G}/rules.h --ctx LowerCtx --prefix x64_isle
             --include isa/x64/rules_in.h --root lower --root cond ${X64_ISLE} DEPENDS ${X64_ISLE} "${COT_FOLDER_DIR}/rules_in.h")

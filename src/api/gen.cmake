# Generated: one C function per opcode.
set(CLIF_DEFS "${CMAKE_SOURCE_DIR}/src/clif/opcodes.def")
cot_generate(OUTPUT cot/clif_ops.h COMMAND apigen header -o ${COT_GEN_DIR}/cot/clif_ops.h DEPENDS ${CLIF_DEFS})
cot_generate(OUTPUT api/clif_ops.c COMMAND apigen source -o ${COT_GEN_DIR}/api/clif_ops.c DEPENDS ${CLIF_DEFS})

# The hash of the sources, for the keys of the cache: what another version has compiled is not used.
file(GLOB_RECURSE COT_ALL_SOURCES CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/src/*.[ch]" "${CMAKE_SOURCE_DIR}/src/*.def"
     "${CMAKE_SOURCE_DIR}/src/*.isle" "${CMAKE_SOURCE_DIR}/tools/*.[ch]")
cot_generate(OUTPUT compiler/source_id.c
             COMMAND ${CMAKE_COMMAND} -DROOT=${CMAKE_SOURCE_DIR} -DOUT=${COT_GEN_DIR}/compiler/source_id.c
                     -P ${CMAKE_SOURCE_DIR}/cmake/SourceId.cmake
             DEPENDS ${COT_ALL_SOURCES} ${CMAKE_SOURCE_DIR}/cmake/SourceId.cmake)

# The program that executables consist of besides their module.
if(TARGET cot_runtime_program)
  cot_generate(OUTPUT compiler/exe_runtime.c
               COMMAND embed exe_runtime ${COT_GEN_DIR}/compiler/exe_runtime.c $<TARGET_FILE:cot_runtime_program>
               DEPENDS cot_runtime_program)
else()
  cot_generate(OUTPUT compiler/exe_runtime.c COMMAND embed exe_runtime ${COT_GEN_DIR}/compiler/exe_runtime.c)
endif()

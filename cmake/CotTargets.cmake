# cot_layer, cot_driver, cot_generate, cot_unit_tests: the four ways a target comes into being.

set_property(GLOBAL PROPERTY COT_LIBS_BELOW "")
# Folders that may use the operating system beyond ISO C (threads, mmap, signals, files).
set(COT_OS_FOLDERS runtime rtapi rtlib module jit compiler filetest api driver)

# "isa/x64" -> isa_x64
function(cot_folder_id out folder)
  string(REPLACE "/" "_" id "${folder}")
  string(REPLACE "-" "_" id "${id}")
  set(${out} "${id}" PARENT_SCOPE)
endfunction()

# Inside src/<folder>/gen.cmake (included if present, COT_FOLDER_DIR is that folder):
#   cot_generate(OUTPUT file... COMMAND cmd... [DEPENDS file-or-target...])
# Outputs are relative to ${COT_GEN_DIR} (an include directory: `#include "isa/x64/lower.inc"`), generated
# before the folder and everything above it is compiled; a generated .c file is compiled into the library.
# Host tools are named by their target: COMMAND rulec in.isle -o ${COT_GEN_DIR}/isa/x64/lower.inc
function(cot_generate)
  cmake_parse_arguments(PARSE_ARGV 0 G "" "" "OUTPUT;COMMAND;DEPENDS")
  set(outs "")
  foreach(o IN LISTS G_OUTPUT)
    cmake_path(ABSOLUTE_PATH o BASE_DIRECTORY "${COT_GEN_DIR}" NORMALIZE)
    cmake_path(GET o PARENT_PATH dir)
    file(MAKE_DIRECTORY "${dir}")
    list(APPEND outs "${o}")
  endforeach()
  list(GET G_COMMAND 0 tool)
  if(TARGET ${tool})
    list(APPEND G_DEPENDS ${tool})
  endif()
  add_custom_command(OUTPUT ${outs} COMMAND ${G_COMMAND} DEPENDS ${G_DEPENDS}
                     WORKING_DIRECTORY "${COT_FOLDER_DIR}" VERBATIM)
  set_property(GLOBAL APPEND PROPERTY "COT_GEN_${COT_FOLDER_ID}" ${outs})
endfunction()

# Sources of a folder: globbed and generated. Sets `out` to the list, empty if the folder has none.
function(cot_folder_sources out folder)
  cot_folder_id(COT_FOLDER_ID "${folder}")
  set(COT_FOLDER_DIR "${CMAKE_SOURCE_DIR}/src/${folder}")
  file(GLOB srcs CONFIGURE_DEPENDS "${COT_FOLDER_DIR}/*.c")
  if(srcs)
    if(EXISTS "${COT_FOLDER_DIR}/gen.cmake")
      include("${COT_FOLDER_DIR}/gen.cmake")
    endif()
    get_property(gen GLOBAL PROPERTY "COT_GEN_${COT_FOLDER_ID}")
    list(APPEND srcs ${gen})
  endif()
  set(${out} "${srcs}" PARENT_SCOPE)
endfunction()

function(cot_configure_target target folder)
  if(folder IN_LIST COT_OS_FOLDERS)
    target_compile_definitions(${target} PRIVATE _GNU_SOURCE)
    target_link_libraries(${target} PUBLIC Threads::Threads)
  endif()
endfunction()

# cot_layer(folder...): one library cot_<folder> each, linked with all layers declared before.
function(cot_layer)
  get_property(below GLOBAL PROPERTY COT_LIBS_BELOW)
  set(made "")
  foreach(folder IN LISTS ARGN)
    cot_folder_sources(srcs "${folder}")
    if(NOT srcs)
      continue()
    endif()
    cot_folder_id(id "${folder}")
    add_library(cot_${id} STATIC ${srcs})
    target_include_directories(cot_${id} PUBLIC "${CMAKE_SOURCE_DIR}/src" "${CMAKE_SOURCE_DIR}/include"
                                                "${COT_GEN_DIR}")
    target_link_libraries(cot_${id} PUBLIC ${below})
    if(id STREQUAL "base")
      target_link_libraries(cot_${id} PUBLIC m)
    endif()
    cot_configure_target(cot_${id} "${folder}")
    list(APPEND made cot_${id})
  endforeach()
  list(REVERSE made)
  set_property(GLOBAL PROPERTY COT_LIBS_BELOW ${made} ${below})
endfunction()

# cot_library(name description [folder]): lib<name>.a and lib<name>.so of all layers declared so far, and of a folder that is in no
# layer, with the public symbols only, and their installation. The archive holds one object whose internal symbols are local, so
# they cannot clash with a user's.
function(cot_library name description)
  get_property(layers GLOBAL PROPERTY COT_LIBS_BELOW)
  foreach(folder IN LISTS ARGN)
    cot_layer(${folder})
    cot_folder_id(id "${folder}")
    set_property(GLOBAL PROPERTY COT_LIBS_BELOW ${layers})
    list(PREPEND layers cot_${id})
  endforeach()
  set(objects "")
  foreach(l IN LISTS layers)
    list(APPEND objects "$<TARGET_OBJECTS:${l}>")
  endforeach()
  set(whole "${CMAKE_BINARY_DIR}/${name}_whole.o")
  add_custom_command(OUTPUT "${whole}"
                     COMMAND "${CMAKE_C_COMPILER}" -r -nostdlib -o "${whole}" ${objects}
                     COMMAND "${CMAKE_OBJCOPY}" --localize-hidden "${whole}"
                     DEPENDS ${layers} ${objects} COMMAND_EXPAND_LISTS VERBATIM)
  add_library(${name}_static STATIC "${whole}")
  add_library(${name}_shared SHARED ${objects})
  set_source_files_properties("${whole}" PROPERTIES EXTERNAL_OBJECT TRUE GENERATED TRUE)
  set_target_properties(${name}_static ${name}_shared PROPERTIES
    OUTPUT_NAME ${name} LINKER_LANGUAGE C VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}
    LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/lib" ARCHIVE_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/lib")
  foreach(t ${name}_static ${name}_shared)
    target_include_directories(${t} INTERFACE "${CMAKE_SOURCE_DIR}/include" "${COT_GEN_DIR}")
    target_link_libraries(${t} PUBLIC Threads::Threads m)
  endforeach()

  include(GNUInstallDirs)
  set(COT_PC_LIBS "-lm -pthread")
  set(COT_PC_NAME "${name}")
  set(COT_PC_DESCRIPTION "${description}")
  file(RELATIVE_PATH COT_PC_UP "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/") # the file may be moved with the rest
  configure_file("${CMAKE_SOURCE_DIR}/cmake/cot.pc.in" "${CMAKE_BINARY_DIR}/lib/${name}.pc" @ONLY)
  install(TARGETS ${name}_static ${name}_shared
          ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}" LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}")
  install(DIRECTORY "${CMAKE_SOURCE_DIR}/include/cot" "${COT_GEN_DIR}/cot" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
  install(FILES "${CMAKE_BINARY_DIR}/lib/${name}.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
  install(FILES "${CMAKE_SOURCE_DIR}/LICENSE" "${CMAKE_SOURCE_DIR}/NOTICE" DESTINATION "${CMAKE_INSTALL_DOCDIR}")
endfunction()

# cot_program(name folder other...): the program that `cot compile` joins modules with, from all sources of the folders. It has no C
# library and is built the same way in every preset, without sanitizers. Nothing is made where it cannot run.
function(cot_program name folder)
  if(NOT CMAKE_SYSTEM_NAME STREQUAL "Linux" OR NOT CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
    return()
  endif()
  set(srcs "")
  foreach(f IN ITEMS ${folder} ${ARGN})
    file(GLOB more CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/src/${f}/*.c")
    list(APPEND srcs ${more})
  endforeach()
  file(GLOB own CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/src/${folder}/*.c")
  set_source_files_properties(${own} PROPERTIES COMPILE_OPTIONS "-fno-builtin") # or memset calls memset
  add_executable(${name} ${srcs})
  target_include_directories(${name} PRIVATE "${CMAKE_SOURCE_DIR}/src")
  target_compile_definitions(${name} PRIVATE _GNU_SOURCE NDEBUG)
  target_compile_options(${name} PRIVATE
    -O2 -g0 -fno-sanitize=all -UCOT_SANITIZED -UCOT_CHECKED -U_FORTIFY_SOURCE -fno-stack-protector -fomit-frame-pointer
    -fno-asynchronous-unwind-tables -ftls-model=local-exec -ffunction-sections -fdata-sections
    "-ffile-prefix-map=${CMAKE_SOURCE_DIR}/=")
  target_link_options(${name} PRIVATE -fno-sanitize=all -nostdlib -static-pie -s
    "LINKER:-z,relro,-z,now,-z,noexecstack,-z,max-page-size=4096,--gc-sections,--build-id=none"
    "LINKER:-T,${CMAKE_SOURCE_DIR}/src/${folder}/layout.ld")
  set_target_properties(${name} PROPERTIES LINK_DEPENDS "${CMAKE_SOURCE_DIR}/src/${folder}/layout.ld"
                                           RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/lib")
endfunction()

# cot_driver(folder name): the command, at the top of the build folder.
function(cot_driver folder name)
  cot_folder_sources(srcs "${folder}")
  if(srcs)
    get_property(below GLOBAL PROPERTY COT_LIBS_BELOW)
    add_executable(${name} ${srcs})
    target_include_directories(${name} PRIVATE "${CMAKE_SOURCE_DIR}/src" "${CMAKE_SOURCE_DIR}/include"
                                               "${COT_GEN_DIR}")
    target_link_libraries(${name} PRIVATE ${below})
    cot_configure_target(${name} "${folder}")
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}")
    include(GNUInstallDirs)
    install(TARGETS ${name} RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
  endif()
endfunction()

# cot_unit_tests(dir lib): one cmocka executable per test_*.c of dir, named <folder>.<topic> in ctest.
# Inside a test COT_SOURCE_DIR and COT_BUILD_DIR are the two roots; the working directory is the first.
function(cot_unit_tests dir lib)
  file(GLOB tests CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/tests/unit/${dir}/test_*.c")
  cot_folder_id(id "${dir}")
  foreach(src IN LISTS tests)
    cmake_path(GET src STEM stem)
    string(REGEX REPLACE "^test_" "" topic "${stem}")
    set(t "unit_${id}_${topic}")
    add_executable(${t} "${src}")
    target_compile_definitions(${t} PRIVATE _GNU_SOURCE COT_SOURCE_DIR="${CMAKE_SOURCE_DIR}"
                                            COT_BUILD_DIR="${CMAKE_BINARY_DIR}")
    target_include_directories(${t} PRIVATE "${CMAKE_SOURCE_DIR}/tests/unit")
    target_link_libraries(${t} PRIVATE ${lib} ${COT_CMOCKA})
    if(NOT TARGET unit_tests_${id})
      add_custom_target(unit_tests_${id}) # all of a folder
    endif()
    add_dependencies(unit_tests_${id} ${t})
    add_test(NAME ${id}.${topic} COMMAND ${t} WORKING_DIRECTORY "${CMAKE_SOURCE_DIR}")
    set_tests_properties(${id}.${topic} PROPERTIES TIMEOUT 300)
  endforeach()
endfunction()

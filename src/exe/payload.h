/* exe/payload.h — what an executable made by `cot compile` carries, and how its runtime finds it.
 *
 * The runtime program (this folder) is linked once, when cot is built, and has an empty payload in its first section. Joining
 * (compiler/exe.c, object/elf_join.c) appends segments with the module's parts and writes their addresses there.
 *
 *     runtime program:  segments as linked; the payload is in the first one
 *     read-only         tables of the image, then the settings
 *     read, execute     code of the image
 *     read, write       one page of slots, which the runtime fills and protects */
#ifndef COT_EXE_PAYLOAD_H
#define COT_EXE_PAYLOAD_H
#include <stdint.h>

#define EXE_SECTION ".cot.payload" /* holds an ExePayload */

/* Addresses relative to the program's beginning; tables 0: nothing was joined. */
typedef struct ExePayload {
    uint64_t tables, code, slots, settings;
} ExePayload;

typedef struct ExeSettings {
    uint64_t max_memory, max_stack; /* 0: default */
    char grants[];                  /* see RtProgram (runtime/program.h) */
} ExeSettings;
#endif

/* exe/exe.h — shared by the files of the runtime program. It is linked without a C library, so that it is small, starts at once, and can be
 * built and joined anywhere: start.c, sys.c, text.c, heap.c and math.c define the functions of the C library that the
 * runtime uses, under their names and with the types of the system's headers. One thread. */
#ifndef COT_EXE_EXE_H
#define COT_EXE_EXE_H
#include "exe/payload.h"

/* The kernel's result: negative error numbers. */
long exe_syscall(long n, long a, long b, long c, long d, long e, long f);
int exe_main(int argc, char **argv);
#endif

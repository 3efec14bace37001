/* jit/libcall.c — addresses of library routines for compiled code, by their C symbols. */
#include "jit/libcall.h"
#include "image/routine.h"

const void *jit_libcall(ClifLibCall call) {
    return img_routine_address(img_routine_named(clif_libcall_symbol[call]));
}

/* base/vec.h — growable flat arrays over a Mem. A vec is cleared, not freed, between functions, so it
 * stops allocating after warm-up. Usage:
 *     VEC(uint32_t) v = {0};  vec_push(mem, &v, 7);  v.p[0];  v.n;  vec_free(mem, &v);
 * Elements are plain data. Pointers into a vec die at the next push. */
#ifndef COT_BASE_VEC_H
#define COT_BASE_VEC_H
#include <string.h>
#include "base/mem.h"

#define VEC(T)           \
    struct {             \
        T *p;            \
        uint32_t n, cap; \
    }
#define VEC_TYPEDEF(Name, T) \
    typedef struct Name {    \
        T *p;                \
        uint32_t n, cap;     \
    } Name

void vec_grow_(Mem *m, void **p, uint32_t *cap, uint64_t need,
               size_t elem); /* need > UINT32_MAX-1 = out of memory */

#define vec_reserve(m, v, need)                                                \
    ((uint64_t)(need) > (v)->cap                                               \
         ? vec_grow_((m), (void **)&(v)->p, &(v)->cap, (need), sizeof *(v)->p) \
         : (void)0)
#define vec_push(m, v, ...) \
    (vec_reserve((m), (v), (uint64_t)(v)->n + 1), (void)((v)->p[(v)->n++] = (__VA_ARGS__)))
/* Appends k uninitialised elements and yields a pointer to the first. */
#define vec_extend(m, v, k)                                                  \
    (vec_reserve((m), (v), (uint64_t)(v)->n + (k)), (v)->n += (uint32_t)(k), \
     (v)->p ? (v)->p + ((v)->n - (uint32_t)(k)) : NULL)
/* Grows with zero bytes (or shrinks) to exactly k elements. */
#define vec_resize0(m, v, k)                                                               \
    do {                                                                                   \
        uint32_t old_ = (v)->n, new_ = (uint32_t)(k);                                      \
        vec_reserve((m), (v), new_);                                                       \
        (v)->n = new_;                                                                     \
        if (new_ > old_) memset((v)->p + old_, 0, (size_t)(new_ - old_) * sizeof *(v)->p); \
    } while (0)
#define vec_pop(v) ((v)->p[--(v)->n])
#define vec_last(v) ((v)->p[(v)->n - 1])
#define vec_clear(v) ((v)->n = 0)
#define vec_free(m, v) \
    (mem_free((m), (v)->p, (size_t)(v)->cap * sizeof *(v)->p), (v)->p = NULL, (v)->n = (v)->cap = 0)

VEC_TYPEDEF(VecU32, uint32_t);
VEC_TYPEDEF(VecU64, uint64_t);
VEC_TYPEDEF(VecU8, uint8_t);
#endif

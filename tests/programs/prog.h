/* What the programs of this folder share: a checksum of what they computed, a generator of reproducible numbers, and a
 * print of both. Every program prints only what the C standard fixes on both targets (int is 32 bits, long long 64);
 * nothing depends on the size of long, size_t or a pointer. */
#ifndef PROG_H
#define PROG_H
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef __wasm__ /* Debian's compiler-rt for wasm32 was built with stack protection, its wasi-libc without */
uintptr_t __stack_chk_guard = 0x1234;
void __stack_chk_fail(void) { abort(); }
#endif

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

static uint64_t prog_sum = 0xcbf29ce484222325ull;
static inline void mix_byte(uint8_t b) { prog_sum = (prog_sum ^ b) * 0x100000001b3ull; }
static inline void mix(uint64_t v) {
    for (int i = 0; i < 8; i++)
        mix_byte((uint8_t)(v >> (8 * i)));
}
static inline void mix_text(const char *s) {
    while (*s)
        mix_byte((uint8_t)*s++);
    mix_byte(0);
}
static inline void mix_f64(double d) {
    uint64_t u;
    memcpy(&u, &d, 8);
    mix(d != d ? 0x7ff8000000000000ull : u);
}
static inline void mix_f32(float f) {
    uint32_t u;
    memcpy(&u, &f, 4);
    mix(f != f ? 0x7fc00000u : u);
}
static inline void show(const char *what) { printf("%s: %016llx\n", what, (unsigned long long)prog_sum); }

static uint64_t prog_state = 88172645463325252ull;
static inline uint64_t rnd(void) {
    prog_state ^= prog_state << 13;
    prog_state ^= prog_state >> 7;
    prog_state ^= prog_state << 17;
    return prog_state;
}
static inline uint32_t rnd_below(uint32_t n) { return (uint32_t)((rnd() >> 11) % n); }
#endif

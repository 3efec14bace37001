// An exception passes frames of compiled code, and the registers that they keep come back. gcc's unwinder reads what we wrote.
#include <cstdint>
#include <unwind.h>

extern "C" {
uint64_t keeps(uint64_t (*f)(uint64_t), uint64_t), large(uint64_t (*f)(uint64_t), uint64_t),
    tails(uint64_t (*f)(uint64_t), uint64_t);
}
static int frames, depth;
static _Unwind_Reason_Code count(_Unwind_Context *, void *) {
    frames++;
    return _URC_NO_REASON;
}
static uint64_t innermost(uint64_t x) {
    frames = 0;
    _Unwind_Backtrace(count, nullptr);
    if (x & 1) throw x;
    return x;
}
static uint64_t through_keeps(uint64_t x) {
    return keeps(innermost, x);
}
static uint64_t nested(uint64_t x) {
    return --depth > 0 ? large(nested, x) : tails(through_keeps, x);
}
static int run(uint64_t x) {
    uint64_t got = 0;
    volatile uint64_t kept = x * 3;
    uint64_t sum = 0;
    for (depth = 5; depth;) {
        try {
            sum += nested(x);
        } catch (uint64_t y) {
            got = y;
        }
    }
    if (kept != x * 3) return 1;
    return x & 1 ? got != x || sum : got || !sum;
}
int main() {
    for (uint64_t x = 0; x < 1000; x++)
        if (run(x + 2)) return 1;
    return frames >= 9 ? 0 : 2;
}

/* Processor time passes while the program computes. Clocks that do not exist. */
#include "check.h"

int main(void) {
    for (__wasi_clockid_t id = __WASI_CLOCKID_PROCESS_CPUTIME_ID;
         id <= __WASI_CLOCKID_THREAD_CPUTIME_ID; id++) {
        __wasi_timestamp_t a, b;
        volatile unsigned x = 1;
        CHECK_ERR(SUCCESS, __wasi_clock_res_get(id, &a));
        CHECK(a >= 1);
        CHECK_ERR(SUCCESS, __wasi_clock_time_get(id, 0, &a));
        do {
            for (int i = 0; i < 100000; i++) x = x * 5 + 1;
            CHECK_ERR(SUCCESS, __wasi_clock_time_get(id, 0, &b));
        } while (b == a);
        CHECK(b > a);
    }
    __wasi_timestamp_t t;
    CHECK_ERR(INVAL, __wasi_clock_time_get(4, 0, &t));
    CHECK_ERR(INVAL, __wasi_clock_res_get(17, &t));
    return 0;
}

/* Real and monotonic time: resolution, order, agreement with the C library. */
#include "check.h"
#include <time.h>

int main(void) {
    __wasi_timestamp_t a, b;
    for (int id = 0; id < 2; id++) {
        CHECK_ERR(SUCCESS, __wasi_clock_res_get(id, &a));
        CHECK(a >= 1 && a <= 1000000000);
        CHECK_ERR(SUCCESS, __wasi_clock_time_get(id, 1000, &a));
        CHECK_ERR(SUCCESS, __wasi_clock_time_get(id, 0, &b));
        CHECK(b >= a);
        CHECK(b - a < 10000000000);
    }
    CHECK_ERR(SUCCESS, __wasi_clock_time_get(__WASI_CLOCKID_REALTIME, 0, &a));
    time_t t = time(NULL);
    struct timespec ts;
    CHECK(clock_gettime(CLOCK_REALTIME, &ts) == 0);
    CHECK(t >= (time_t)(a / 1000000000) && t <= ts.tv_sec);
    CHECK(t > 1600000000); /* later than 2020 */
    struct tm *g = gmtime(&t);
    CHECK(g->tm_year >= 120);
    return 0;
}

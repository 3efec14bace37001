/* poll_oneoff with clocks: at least the time that was asked for, the earliest one, none at all. */
#include "check.h"
#include <time.h>
#include <unistd.h>

#define MS 1000000ull

static __wasi_subscription_t sub(__wasi_userdata_t data, __wasi_clockid_t id, __wasi_timestamp_t t,
                                 __wasi_subclockflags_t flags) {
    return (__wasi_subscription_t){
        .userdata = data,
        .u = {.tag = __WASI_EVENTTYPE_CLOCK, .u.clock = {.id = id, .timeout = t, .flags = flags}}};
}
static uint64_t now(__wasi_clockid_t id) {
    __wasi_timestamp_t t;
    CHECK_ERR(SUCCESS, __wasi_clock_time_get(id, 0, &t));
    return t;
}

int main(void) {
    __wasi_subscription_t in[3];
    __wasi_event_t out[3];
    size_t n;
    for (int id = __WASI_CLOCKID_REALTIME; id <= (int)__WASI_CLOCKID_MONOTONIC; id++) {
        uint64_t t0 = now(__WASI_CLOCKID_MONOTONIC);
        in[0] = sub(77, id, 20 * MS, 0);
        CHECK_ERR(SUCCESS, __wasi_poll_oneoff(in, out, 1, &n));
        CHECK(now(__WASI_CLOCKID_MONOTONIC) - t0 >= 20 * MS);
        CHECK(n == 1 && out[0].userdata == 77 && out[0].error == 0 &&
              out[0].type == __WASI_EVENTTYPE_CLOCK);
        t0 = now(__WASI_CLOCKID_MONOTONIC);
        in[0] = sub(78, id, now(id) + 20 * MS, __WASI_SUBCLOCKFLAGS_SUBSCRIPTION_CLOCK_ABSTIME);
        CHECK_ERR(SUCCESS, __wasi_poll_oneoff(in, out, 1, &n));
        CHECK(now(__WASI_CLOCKID_MONOTONIC) - t0 >= 19 * MS);
        CHECK(n == 1 && out[0].userdata == 78 && out[0].error == 0);
        in[0] = sub(79, id, 1, __WASI_SUBCLOCKFLAGS_SUBSCRIPTION_CLOCK_ABSTIME); /* long ago */
        CHECK_ERR(SUCCESS, __wasi_poll_oneoff(in, out, 1, &n));
        CHECK(n == 1 && out[0].userdata == 79 && out[0].error == 0);
    }
    in[0] = sub(1, __WASI_CLOCKID_MONOTONIC, 100000 * MS, 0);
    in[1] = sub(2, __WASI_CLOCKID_MONOTONIC, 10 * MS, 0);
    in[2] = sub(3, __WASI_CLOCKID_MONOTONIC, 200000 * MS, 0);
    CHECK_ERR(SUCCESS, __wasi_poll_oneoff(in, out, 3, &n));
    CHECK(n == 1 && out[0].userdata == 2 && out[0].type == __WASI_EVENTTYPE_CLOCK);
    CHECK_ERR(INVAL, __wasi_poll_oneoff(in, out, 0, &n));
    for (int i = 0; i < 1000; i++) { /* no time at all */
        in[0] = sub(1, __WASI_CLOCKID_MONOTONIC, 0, 0);
        CHECK_ERR(SUCCESS, __wasi_poll_oneoff(in, out, 1, &n));
        CHECK(n == 1);
    }
    uint64_t t0 = now(__WASI_CLOCKID_MONOTONIC);
    CHECK(usleep(5000) == 0);
    CHECK(nanosleep(&(struct timespec){.tv_nsec = 5 * MS}, NULL) == 0);
    CHECK(now(__WASI_CLOCKID_MONOTONIC) - t0 >= 10 * MS);
    return 0;
}

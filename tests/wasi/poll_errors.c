/* What is wrong with a subscription is in its event; the others go on. */
#include "check.h"

static __wasi_subscription_t fd(int tag, __wasi_fd_t fd) {
    return (__wasi_subscription_t){.userdata = fd,
                                   .u = {.tag = tag, .u.fd_read.file_descriptor = fd}};
}

int main(void) {
    __wasi_subscription_t in[5];
    __wasi_event_t out[5];
    size_t n;
    in[0] = fd(__WASI_EVENTTYPE_FD_READ, 99);
    in[1] = fd(__WASI_EVENTTYPE_FD_WRITE, (__wasi_fd_t)-1);
    in[2] = fd(__WASI_EVENTTYPE_FD_READ, 3); /* a directory */
    in[3] = fd(__WASI_EVENTTYPE_FD_WRITE, 2);
    in[4] = (__wasi_subscription_t){
        .userdata = 4,
        .u = {.tag = __WASI_EVENTTYPE_CLOCK,
              .u.clock = {.id = __WASI_CLOCKID_MONOTONIC, .timeout = -1ull}}};
    CHECK_ERR(SUCCESS, __wasi_poll_oneoff(in, out, 5, &n));
    CHECK(n == 4);
    for (int i = 0; i < 4; i++) {
        CHECK(out[i].userdata == in[i].userdata && out[i].type == in[i].u.tag);
        CHECK_ERR(BADF, i < 3 ? out[i].error : __WASI_ERRNO_BADF + out[i].error);
    }
    in[1].u.tag = 3;
    CHECK_ERR(INVAL, __wasi_poll_oneoff(in, out, 5, &n));
    return 0;
}

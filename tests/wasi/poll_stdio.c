/* Waiting for standard input (a pipe with a known text) and output, and the C library on top of it. */
#include "check.h"
#include <poll.h>
#include <unistd.h>

static __wasi_subscription_t fd(int tag, __wasi_fd_t fd) {
    return (__wasi_subscription_t){.userdata = 100 + fd,
                                   .u = {.tag = tag, .u.fd_read.file_descriptor = fd}};
}
static __wasi_subscription_t seconds(unsigned s) {
    return (__wasi_subscription_t){
        .userdata = 5,
        .u = {.tag = __WASI_EVENTTYPE_CLOCK,
              .u.clock = {.id = __WASI_CLOCKID_MONOTONIC, .timeout = s * 1000000000ull}}};
}

int main(void) {
    __wasi_subscription_t in[3];
    __wasi_event_t out[3];
    size_t n;
    char buf[64];
    in[0] = fd(__WASI_EVENTTYPE_FD_READ, 0);
    in[1] = seconds(20);
    CHECK_ERR(SUCCESS, __wasi_poll_oneoff(in, out, 2, &n));
    CHECK(n == 1 && out[0].userdata == 100 && out[0].error == 0 &&
          out[0].type == __WASI_EVENTTYPE_FD_READ);
    CHECK(out[0].fd_readwrite.nbytes >= 1);
    CHECK(read(0, buf, 5) == 5 && !memcmp(buf, "hello", 5));
    struct pollfd p = {.fd = 0, .events = POLLRDNORM};
    CHECK(poll(&p, 1, 20000) == 1 && (p.revents & POLLRDNORM));
    size_t have = 0;
    ssize_t r;
    while ((r = read(0, buf + have, sizeof buf - have)) > 0) have += (size_t)r;
    CHECK(r == 0 && have == 6 && !memcmp(buf, " world", 6));
    CHECK_ERR(SUCCESS,
              __wasi_poll_oneoff(in, out, 2, &n)); /* at the end reading does not block either */
    CHECK(n == 1 && out[0].userdata == 100 && out[0].error == 0);
    in[0] = fd(__WASI_EVENTTYPE_FD_WRITE, 1);
    in[2] = fd(__WASI_EVENTTYPE_FD_WRITE, 2);
    CHECK_ERR(SUCCESS, __wasi_poll_oneoff(in, out, 3, &n));
    CHECK(n >= 1 && n <= 2);
    for (size_t i = 0; i < n; i++)
        CHECK(out[i].error == 0 && out[i].type == __WASI_EVENTTYPE_FD_WRITE);
    return 0;
}

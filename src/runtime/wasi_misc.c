/* runtime/wasi_misc.c — arguments, environment, clocks, random numbers, ending and yielding.
 *
 * Problem     The functions that have no descriptor: each copies something of the context or of the host
 *             into guest memory.
 * Idea        Arguments and environment were laid out at the start as the guest wants them, so handing
 *             them over is one copy and one scan for the ends of the strings.
 *             Clocks and random numbers come from the configuration if it has them, otherwise from the
 *             host. proc_exit and deadly signals only note the end in the context: the caller unwinds.
 * Invariants  1. All guest memory that a call writes is checked before the first byte is written.
 *             2. random_get fills the whole buffer or fails.
 * Cost        Linear in what is copied.
 * Ref         WASI preview 1 (witx), sections args, environ, clock, proc, random, sched.
 */
#include "runtime/wasi_int.h"

#include <errno.h>
#include <sched.h>
#include <sys/random.h>

/* ---- arguments and environment ---- */

static WasiErrno put_strings(WasiMem *m, const WasiStrings *s, uint32_t ptrs, uint32_t buf) {
    if (!wasi_in(m, ptrs, (uint64_t)s->count * 4) || !wasi_in(m, buf, s->size)) return WASI_EFAULT;
    uint32_t at = 0;
    for (uint32_t i = 0; i < s->count; i++) {
        wasi_st32(m->base + ptrs + (uint64_t)i * 4, buf + at);
        at += (uint32_t)strlen(s->text + at) + 1;
    }
    if (s->size) memcpy(m->base + buf, s->text, s->size);
    return WASI_ESUCCESS;
}

static WasiErrno put_sizes(WasiMem *m, const WasiStrings *s, uint32_t count, uint32_t size) {
    if (!wasi_in(m, count, 4) || !wasi_in(m, size, 4)) return WASI_EFAULT;
    wasi_st32(m->base + count, s->count);
    wasi_st32(m->base + size, s->size);
    return WASI_ESUCCESS;
}

uint32_t wasi_args_get(WasiCtx *ctx, WasiMem *m, const uint64_t *a) {
    return put_strings(m, &ctx->args, (uint32_t)a[0], (uint32_t)a[1]);
}

uint32_t wasi_args_sizes_get(WasiCtx *ctx, WasiMem *m, const uint64_t *a) {
    return put_sizes(m, &ctx->args, (uint32_t)a[0], (uint32_t)a[1]);
}

uint32_t wasi_environ_get(WasiCtx *ctx, WasiMem *m, const uint64_t *a) {
    return put_strings(m, &ctx->env, (uint32_t)a[0], (uint32_t)a[1]);
}

uint32_t wasi_environ_sizes_get(WasiCtx *ctx, WasiMem *m, const uint64_t *a) {
    return put_sizes(m, &ctx->env, (uint32_t)a[0], (uint32_t)a[1]);
}

/* ---- clocks ---- */

static const clockid_t host_clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_PROCESS_CPUTIME_ID,
                                        CLOCK_THREAD_CPUTIME_ID};
enum { N_CLOCKS = sizeof host_clocks / sizeof *host_clocks };

static WasiErrno nanoseconds(const struct timespec *t, uint64_t *ns) {
    if (t->tv_sec < 0 || (uint64_t)t->tv_sec > UINT64_MAX / 1000000000 - 1) return WASI_EOVERFLOW;
    *ns = (uint64_t)t->tv_sec * 1000000000 + (uint64_t)t->tv_nsec;
    return WASI_ESUCCESS;
}

/* INVAL: no such clock; NOTSUP: the configured clock does not have it. */
WasiErrno wasi_clock_now(const WasiCtx *ctx, uint32_t id, uint64_t *ns) {
    struct timespec t;
    if (id >= N_CLOCKS) return WASI_EINVAL;
    if (ctx->clock.time)
        return ctx->clock.time(ctx->clock.user, id, ns) ? WASI_ESUCCESS : WASI_ENOTSUP;
    if (clock_gettime(host_clocks[id], &t) < 0) return wasi_from_host(errno);
    return nanoseconds(&t, ns);
}

static WasiErrno resolution(const WasiCtx *ctx, uint32_t id, uint64_t *ns) {
    struct timespec t;
    if (id >= N_CLOCKS) return WASI_EINVAL;
    if (ctx->clock.resolution)
        return ctx->clock.resolution(ctx->clock.user, id, ns) ? WASI_ESUCCESS : WASI_ENOTSUP;
    if (ctx->clock.time) { /* of a clock that does not say: its unit */
        *ns = 1;
        return WASI_ESUCCESS;
    }
    if (clock_getres(host_clocks[id], &t) < 0) return wasi_from_host(errno);
    return nanoseconds(&t, ns);
}

uint32_t wasi_clock_res_get(WasiCtx *ctx, WasiMem *m, const uint64_t *a) {
    uint64_t ns;
    if (!wasi_in(m, (uint32_t)a[1], 8)) return WASI_EFAULT;
    WasiErrno err = resolution(ctx, (uint32_t)a[0], &ns);
    if (!err) wasi_st64(m->base + (uint32_t)a[1], ns);
    return err;
}

/* The precision the guest would be content with (a[1]) is a hint; all clocks are read exactly. */
uint32_t wasi_clock_time_get(WasiCtx *ctx, WasiMem *m, const uint64_t *a) {
    uint64_t ns;
    if (!wasi_in(m, (uint32_t)a[2], 8)) return WASI_EFAULT;
    WasiErrno err = wasi_clock_now(ctx, (uint32_t)a[0], &ns);
    if (!err) wasi_st64(m->base + (uint32_t)a[2], ns);
    return err;
}

/* ---- random numbers ---- */

uint32_t wasi_random_get(WasiCtx *ctx, WasiMem *m, const uint64_t *a) {
    uint32_t len = (uint32_t)a[1];
    if (!wasi_in(m, (uint32_t)a[0], len)) return WASI_EFAULT;
    uint8_t *out = m->base + (uint32_t)a[0];
    if (ctx->random) return ctx->random(ctx->random_user, out, len) ? WASI_ESUCCESS : WASI_EIO;
    while (
        len) { /* the host gives at most 32 MB at a time, and less if a signal comes in between */
        ssize_t n = getrandom(out, len, 0);
        if (n < 0 && !wasi_fd_retry(ctx, errno)) return wasi_from_host(errno);
        if (n > 0) {
            out += n;
            len -= (uint32_t)n;
        }
    }
    return WASI_ESUCCESS;
}

/* ---- the end ---- */

uint32_t wasi_proc_exit(WasiCtx *ctx, WasiMem *m, const uint64_t *a) {
    (void)m;
    ctx->exited = true;
    ctx->exit_code = (uint32_t)a[0];
    return WASI_CALL_EXIT;
}

typedef enum SignalAction { SIGNAL_UNKNOWN, SIGNAL_TERM, SIGNAL_IGN, SIGNAL_STOP } SignalAction;

/* A guest has no handlers, so every signal does what is its default. */
uint32_t wasi_proc_raise(WasiCtx *ctx, WasiMem *m, const uint64_t *a) {
    static const uint8_t actions[] = {
#define WASI_SIGNAL(n, v, action) [v] = SIGNAL_##action,
#include "runtime/wasi.def"
    };
    (void)m;
    uint32_t number = (uint32_t)a[0];
    SignalAction action = number < sizeof actions ? (SignalAction)actions[number] : SIGNAL_UNKNOWN;
    switch (action) {
    case SIGNAL_IGN: return WASI_ESUCCESS;
    case SIGNAL_STOP: return WASI_ENOTSUP;
    case SIGNAL_UNKNOWN: return WASI_EINVAL;
    case SIGNAL_TERM: break;
    }
    ctx->exited = true;
    ctx->exit_code = 128 + number;
    return WASI_CALL_EXIT;
}

uint32_t wasi_sched_yield(WasiCtx *ctx, WasiMem *m, const uint64_t *a) {
    (void)ctx, (void)m, (void)a;
    sched_yield(); /* cannot fail on Linux */
    return WASI_ESUCCESS;
}

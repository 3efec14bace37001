/* runtime/wasi_poll.c — poll_oneoff: wait for clocks and descriptors.
 *
 * Problem     A list of subscriptions as long as guest memory allows, with repetitions, clocks of two
 *             kinds, descriptors that have nothing behind them in the host; the answer is the list of those
 *             that have happened, at least one.
 * Idea        Two passes over the subscriptions with one host wait between them. The first pass reduces
 *             them to what the wait needs: per clock the earliest deadline, per guest descriptor one pollfd
 *             with the union of what is asked (so the array is bounded by the descriptor table, not by the
 *             list). The second pass looks at each subscription again and writes its event if it has
 *             happened. Which pollfd belongs to a descriptor is noted in its table entry together with the
 *             number of this call, so nothing has to be cleared in between.
 *             A subscription that cannot be served (unknown descriptor, missing rights, clock that cannot be
 *             waited for) has happened at once: its event carries the error. A malformed one fails the call.
 * Clocks      A relative time runs on the monotonic clock whichever clock is named, as in POSIX. An
 *             absolute real time becomes a duration when the wait begins and is looked at again when the
 *             wait ends: setting the clock back makes it wait on; setting it forward is noticed only then.
 *             If the configuration has clocks of its own, waiting for a duration makes that much pass.
 * Invariants  1. A subscription is read twice, each reading is used as if it were the only one: a guest
 *                that changes it meanwhile gets a wrong event, nothing else.
 *             2. nothing is written to the guest before the wait is over.
 * Cost        O(subscriptions); a wait cut short by a signal costs O(distinct descriptors) again.
 * Ref         WASI preview 1 (witx), poll_oneoff; snapshot 0 has one more field in a clock subscription.
 */
#include "runtime/wasi_int.h"

#include <errno.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TAG_CLOCK, TAG_FD_READ, TAG_FD_WRITE };
enum { CLOCK_REAL, CLOCK_MONO, N_WAIT_CLOCKS, CLOCK_FLAG_ABSTIME = 1 };
enum { EVENT_SIZE = 32, EVENT_HANGUP = 1 };

/* Offsets within a subscription; userdata is at 0, the tag at 8, a descriptor at 16. */
typedef struct Layout {
    uint8_t size, clock_id, timeout, flags;
} Layout;

static const Layout preview1 = {.size = 48, .clock_id = 16, .timeout = 24, .flags = 40};
static const Layout snapshot0 = {.size = 56, .clock_id = 24, .timeout = 32, .flags = 48};

typedef struct Sub {
    uint64_t userdata, timeout;
    uint32_t fd, clock_id;
    uint16_t flags;
    uint8_t tag;
} Sub;

typedef struct Event {
    WasiErrno error;
    uint64_t nbytes;
    uint32_t flags;
} Event;

typedef struct Poll {
    WasiCtx *ctx;
    uint64_t start[N_WAIT_CLOCKS], now[N_WAIT_CLOCKS]; /* by clock */
    WasiErrno clock_err[N_WAIT_CLOCKS];
    uint64_t first[N_WAIT_CLOCKS]; /* the earliest deadline, if waits[] */
    bool waits[N_WAIT_CLOCKS];
    bool at_once; /* something has happened already */
    uint32_t n;   /* entries of ctx->polled in use */
} Poll;

static Sub load(const uint8_t *p, const Layout *l) {
    return (Sub){.userdata = wasi_ld64(p),
                 .tag = p[8],
                 .fd = wasi_ld32(p + 16),
                 .clock_id = wasi_ld32(p + l->clock_id),
                 .timeout = wasi_ld64(p + l->timeout),
                 .flags = wasi_ld16(p + l->flags)};
}

static uint64_t add(uint64_t a, uint64_t b) {
    return a + b < a ? UINT64_MAX : a + b;
}

/* ---- clocks ---- */

static void read_clocks(Poll *p) {
    for (uint32_t i = 0; i < N_WAIT_CLOCKS; i++)
        p->clock_err[i] = wasi_clock_now(p->ctx, i, &p->now[i]);
}

static WasiErrno deadline(const Poll *p, const Sub *s, uint32_t *clock, uint64_t *when) {
    if (s->clock_id > 3 || (s->flags & ~CLOCK_FLAG_ABSTIME)) return WASI_EINVAL;
    if (s->clock_id > CLOCK_MONO) return WASI_ENOTSUP; /* processor time does not pass in a wait */
    bool absolute = s->flags & CLOCK_FLAG_ABSTIME;
    *clock = absolute ? s->clock_id : CLOCK_MONO;
    *when = absolute ? s->timeout : add(p->start[CLOCK_MONO], s->timeout);
    return p->clock_err[*clock];
}

/* The time until the earliest deadline; false if there is none. */
static bool remaining(const Poll *p, uint64_t *ns) {
    bool any = p->at_once;
    *ns = p->at_once ? 0 : UINT64_MAX;
    for (uint32_t i = 0; i < N_WAIT_CLOCKS; i++) {
        if (!p->waits[i]) continue;
        uint64_t left = p->first[i] > p->now[i] ? p->first[i] - p->now[i] : 0;
        if (left < *ns) *ns = left;
        any = true;
    }
    return any;
}

/* `ns` of waiting are over. */
static void pass_time(Poll *p, uint64_t ns) {
    if (!p->ctx->clock.time) {
        read_clocks(p);
        return;
    }
    for (uint32_t i = 0; i < N_WAIT_CLOCKS; i++) p->now[i] = add(p->now[i], ns);
}

/* ---- descriptors ---- */

static WasiErrno descriptor(WasiCtx *ctx, const Sub *s, WasiFd **out) {
    uint64_t right = s->tag == TAG_FD_READ ? WASI_R_FD_READ : WASI_R_FD_WRITE;
    return wasi_fd_file(ctx, s->fd, right | WASI_R_POLL_FD_READWRITE, out);
}

static WasiErrno watch(Poll *p, WasiFd *e, short events) {
    WasiCtx *ctx = p->ctx;
    if (e->poll_call != ctx->poll_calls) {
        if (p->n == ctx->polled_cap) {
            uint32_t cap = ctx->polled_cap ? ctx->polled_cap * 2 : 16;
            struct pollfd *v =
                wasi_realloc(ctx, ctx->polled, ctx->polled_cap * sizeof *v, cap * sizeof *v);
            if (!v) return WASI_ENOMEM;
            ctx->polled = v;
            ctx->polled_cap = cap;
        }
        e->poll_call = ctx->poll_calls;
        e->poll_slot = p->n++;
        ctx->polled[e->poll_slot] = (struct pollfd){.fd = e->host};
    }
    ctx->polled[e->poll_slot].events |= events;
    return WASI_ESUCCESS;
}

void wasi_poll_free(WasiCtx *ctx) {
    mem_free(&ctx->mem, ctx->polled, ctx->polled_cap * sizeof *ctx->polled);
}

/* At least one byte, if the host does not say how many. */
static uint64_t readable_bytes(const WasiFd *e, short revents) {
    struct stat st;
    int n;
    if (e->filetype == WASI_FILETYPE_REGULAR_FILE) {
        off_t at = lseek(e->host, 0, SEEK_CUR);
        if (at >= 0 && fstat(e->host, &st) == 0) return st.st_size > at ? st.st_size - at : 0;
    } else if (ioctl(e->host, FIONREAD, &n) == 0)
        return (uint64_t)n;
    return (revents & POLLIN) ? 1 : 0;
}

static bool happened_fd(Poll *p, const WasiFd *e, bool reads, Event *ev) {
    if (e->kind != WASI_FD_HOST) {
        ev->nbytes = reads ? e->bytes_len : 1;
        if (reads && !e->bytes_len) ev->flags = EVENT_HANGUP;
        return true;
    }
    if (e->poll_call != p->ctx->poll_calls) return false; /* was not there in the first pass */
    short revents = p->ctx->polled[e->poll_slot].revents;
    short gone = POLLHUP | POLLERR | (reads ? POLLRDHUP : 0);
    if (!(revents & (gone | POLLNVAL | (reads ? POLLIN : POLLOUT)))) return false;
    if (revents & POLLNVAL) ev->error = WASI_EBADF; /* closed in the host behind our back */
    if (!ev->error) ev->nbytes = reads ? readable_bytes(e, revents) : (revents & POLLOUT) ? 1 : 0;
    bool at_end = reads && e->filetype == WASI_FILETYPE_REGULAR_FILE && !ev->nbytes;
    if ((revents & gone) || at_end) ev->flags = EVENT_HANGUP;
    return true;
}

/* ---- the passes ---- */

static WasiErrno prepare(Poll *p, const Sub *s) {
    uint32_t clock;
    uint64_t when;
    WasiFd *e;
    if (s->tag > TAG_FD_WRITE) return WASI_EINVAL;
    if (s->tag == TAG_CLOCK) {
        if (deadline(p, s, &clock, &when)) {
            p->at_once = true;
            return WASI_ESUCCESS;
        }
        if (!p->waits[clock] || when < p->first[clock]) p->first[clock] = when;
        p->waits[clock] = true;
        return WASI_ESUCCESS;
    }
    if (descriptor(p->ctx, s, &e) || e->kind != WASI_FD_HOST) {
        p->at_once = true;
        return WASI_ESUCCESS;
    }
    return watch(p, e, s->tag == TAG_FD_READ ? POLLIN | POLLRDHUP : POLLOUT);
}

/* Returns when a descriptor is ready or a deadline has passed, or with an error. */
static WasiErrno wait(Poll *p) {
    WasiCtx *ctx = p->ctx;
    for (;;) {
        uint64_t ns;
        bool limited = remaining(p, &ns);
        if (p->n == 0 && ns == 0) return WASI_ESUCCESS;
        if (p->n == 0 && ctx->clock.wait) {
            ctx->clock.wait(ctx->clock.user, ns);
            pass_time(p, ns);
            continue;
        }
        struct timespec t = {.tv_sec = (time_t)(ns / 1000000000),
                             .tv_nsec = (long)(ns % 1000000000)};
        int r = ppoll(ctx->polled, p->n, limited ? &t : NULL, NULL);
        if (r < 0 && !wasi_fd_retry(ctx, errno)) return wasi_from_host(errno);
        if (r < 0)
            read_clocks(p);
        else
            pass_time(p, r == 0 ? ns : 0);
        if (r > 0 || (r == 0 && ns == 0)) return WASI_ESUCCESS;
    }
}

static bool happened(Poll *p, const Sub *s, Event *ev) {
    uint32_t clock;
    uint64_t when;
    WasiFd *e;
    if (s->tag > TAG_FD_WRITE) return false;
    ev->error = s->tag == TAG_CLOCK ? deadline(p, s, &clock, &when) : descriptor(p->ctx, s, &e);
    if (ev->error) return true;
    return s->tag == TAG_CLOCK ? p->now[clock] >= when
                               : happened_fd(p, e, s->tag == TAG_FD_READ, ev);
}

static void put_event(uint8_t *p, const Sub *s, const Event *ev) {
    wasi_st64(p, s->userdata);
    wasi_st64(p + 8, (uint64_t)ev->error | (uint64_t)s->tag << 16);
    wasi_st64(p + 16, ev->nbytes);
    wasi_st64(p + 24, ev->flags);
}

static WasiErrno poll_oneoff(WasiCtx *ctx, WasiMem *m, const uint64_t *a, const Layout *l) {
    uint32_t in = (uint32_t)a[0], out = (uint32_t)a[1], n = (uint32_t)a[2], count = (uint32_t)a[3];
    uint32_t done = 0;
    WasiErrno err = WASI_ESUCCESS;
    if (n == 0) return WASI_EINVAL; /* would wait for ever */
    if (!wasi_in(m, in, (uint64_t)n * l->size) || !wasi_in(m, out, (uint64_t)n * EVENT_SIZE) ||
        !wasi_in(m, count, 4))
        return WASI_EFAULT;
    Poll p = {.ctx = ctx};
    ctx->poll_calls++;
    read_clocks(&p);
    memcpy(p.start, p.now, sizeof p.start);
    for (uint32_t i = 0; i < n && !err; i++) {
        Sub s = load(m->base + in + (uint64_t)i * l->size, l);
        err = prepare(&p, &s);
    }
    if (!err) err = wait(&p);
    if (err) return err;
    for (uint32_t i = 0; i < n; i++) {
        Sub s = load(m->base + in + (uint64_t)i * l->size, l);
        Event ev = {0};
        if (happened(&p, &s, &ev))
            put_event(m->base + out + (uint64_t)done++ * EVENT_SIZE, &s, &ev);
    }
    wasi_st32(m->base + count, done);
    return WASI_ESUCCESS;
}

uint32_t wasi_poll_oneoff(WasiCtx *ctx, WasiMem *m, const uint64_t *a) {
    return poll_oneoff(ctx, m, a, &preview1);
}

uint32_t wasi_poll_oneoff_p0(WasiCtx *ctx, WasiMem *m, const uint64_t *a) {
    return poll_oneoff(ctx, m, a, &snapshot0);
}

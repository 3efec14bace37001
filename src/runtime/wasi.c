/* runtime/wasi.c — life of a WASI context, the function table, the error table.
 *
 * Problem     Give a guest its arguments, environment, standard streams and preopened directories, and
 *             nothing else; find functions by import name.
 * Idea        Everything the guest can read is copied at the start in the form the guest wants it
 *             (strings NUL-terminated one after the other), so later calls only copy. All host objects
 *             live in the descriptor table; freeing the context closes the table.
 *             Whether openat2 works is found out by using it once: container filters may refuse it
 *             with any error number.
 * Invariants  1. Memory comes from ctx->mem; running out is WASI_ENOMEM or a Diag, never a jump out of
 *                this module (wasi_realloc catches it).
 *             2. Descriptors that the caller supplied are never closed and never change their flags.
 * Cost        Look-up is a linear search over about fifty rows, done once per import.
 */
#include "runtime/wasi_int.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- tables ---- */

enum { P1 = 1, P0 = 2, P01 = 3 };

typedef struct Row {
    uint32_t modules;
    WasiFunc func;
} Row;

static const Row rows[] = {
#define WASI_FUNC(mask, name, params, results, fn) {mask, {#name, params, results, fn}},
#include "runtime/wasi.def"
};

static uint32_t module_bit(const char *module) {
    if (!strcmp(module, "wasi_snapshot_preview1")) return P1;
    if (!strcmp(module, "wasi_unstable")) return P0;
    return 0;
}

bool wasi_is_module(const char *module) {
    return module_bit(module) != 0;
}

const WasiFunc *wasi_lookup(const char *module, const char *name) {
    uint32_t bit = module_bit(module);
    for (size_t i = 0; bit && i < sizeof rows / sizeof *rows; i++)
        if ((rows[i].modules & bit) && !strcmp(rows[i].func.name, name)) return &rows[i].func;
    return NULL;
}

WasiErrno wasi_from_host(int host_errno) {
    switch (host_errno < 0 ? -host_errno : host_errno) {
    case 0: return WASI_ESUCCESS;
#define WASI_ERRNO(n, v, h) \
    case h:                 \
        return WASI_E##n;
#define WASI_ERRNO_ONLY(n, v)
#include "runtime/wasi.def"
    default: return WASI_EIO;
    }
}

const char *wasi_errno_name(uint32_t number) {
    static const char *const names[] = {
#define WASI_ERRNO(n, v, h) [v] = #n,
#define WASI_ERRNO_ONLY(n, v) [v] = #n,
#include "runtime/wasi.def"
    };
    return number < sizeof names / sizeof *names ? names[number] : NULL;
}

/* ---- memory ---- */

void *wasi_realloc(WasiCtx *ctx, void *old, size_t old_size, size_t new_size) {
    jmp_buf oom;
    void *p = NULL;
    ctx->mem.oom = &oom;
    if (setjmp(oom) == 0) p = mem_realloc(&ctx->mem, old, old_size, new_size);
    ctx->mem.oom = NULL;
    return p;
}

static bool copy_strings(WasiCtx *ctx, const char *const *v, uint32_t n, WasiStrings *out) {
    uint64_t size = 0;
    for (uint32_t i = 0; i < n; i++) size += strlen(v[i]) + 1;
    if (size > UINT32_MAX) return false;
    if (size) {
        out->text = wasi_realloc(ctx, NULL, 0, (size_t)size);
        if (!out->text) return false;
    }
    out->count = n;
    out->size = (uint32_t)size;
    char *p = out->text;
    for (uint32_t i = 0; i < n; i++) p = stpcpy(p, v[i]) + 1;
    return true;
}

/* ---- descriptors the guest starts with ---- */

static bool insert(WasiCtx *ctx, const WasiFd *e, Diag *diag) {
    uint32_t fd;
    WasiErrno err = wasi_fd_insert(ctx, e, &fd);
    if (err == WASI_ESUCCESS) return true;
    return diag_msg(diag, err == WASI_ENOMEM ? DIAG_OOM : DIAG_LIMIT,
                    err == WASI_ENOMEM ? "out of memory" : "too many descriptors for the limit %u",
                    ctx->fds_max);
}

static bool add_host(WasiCtx *ctx, int host, const char *what, Diag *diag) {
    WasiFd e = {.kind = WASI_FD_HOST, .host = host};
    int err = wasi_fd_classify(&e);
    if (err < 0) return diag_msg(diag, DIAG_IO, "%s: %s", what, strerror(-err));
    int acc = fcntl(host, F_GETFL) & O_ACCMODE;
    e.base = e.inheriting = wasi_fd_type_rights(&e);
    if (acc == O_RDONLY) e.unopened = WASI_R_FD_WRITE;
    if (acc == O_WRONLY) e.unopened = WASI_R_FD_READ;
    if (acc == O_RDONLY)
        e.base &= ~(uint64_t)(WASI_R_FD_WRITE | WASI_R_FD_ALLOCATE | WASI_R_FD_FILESTAT_SET_SIZE);
    if (acc == O_WRONLY) e.base &= ~(uint64_t)(WASI_R_FD_READ | WASI_R_FD_READDIR);
    return insert(ctx, &e, diag);
}

static bool stdio_is_closed(const WasiStdio *s) {
    return s->kind == WASI_STDIO_CLOSED || (s->kind == WASI_STDIO_FD && fcntl(s->fd, F_GETFD) < 0);
}

/* A closed standard stream leaves its number free; a later number must not slip into it, so it is
 * taken first and given back when the preopens are in place. */
static bool add_stdio(WasiCtx *ctx, const WasiStdio *s, uint32_t fd, bool closed, Diag *diag) {
    WasiFd e = {.kind = WASI_FD_BYTES, .host = -1};
    const uint64_t stream = WASI_R_FD_FILESTAT_GET | WASI_R_POLL_FD_READWRITE;
    if (closed) return insert(ctx, &e, diag);
    switch (s->kind) {
    case WASI_STDIO_FD: {
        char what[] = "standard stream 0";
        what[sizeof what - 2] = (char)('0' + fd);
        return add_host(ctx, s->fd, what, diag);
    }
    case WASI_STDIO_CLOSED: break;
    case WASI_STDIO_BYTES:
        e.base = stream | WASI_R_FD_READ;
        e.unopened = WASI_R_FD_WRITE;
        e.bytes = s->bytes;
        e.bytes_len = s->bytes_len;
        break;
    case WASI_STDIO_SINK:
        e.kind = WASI_FD_SINK;
        e.base = stream | WASI_R_FD_WRITE;
        e.unopened = WASI_R_FD_READ;
        e.sink = s->sink;
        e.user = s->user;
        break;
    }
    return insert(ctx, &e, diag);
}

static bool add_preopen(WasiCtx *ctx, const WasiPreopen *p, Diag *diag) {
    size_t len = strlen(p->guest);
    if (len == 0) return diag_msg(diag, DIAG_INVALID, "a preopened directory needs a guest name");
    int host = open(p->host, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (host < 0)
        return diag_msg(diag, DIAG_IO, "cannot open directory '%s': %s", p->host, strerror(errno));
    WasiFd e = {.kind = WASI_FD_HOST,
                .host = host,
                .filetype = WASI_FILETYPE_DIRECTORY,
                .owned = true,
                .read_only = p->read_only,
                .preopen_len = (uint32_t)len};
    e.base = p->rights_base ? p->rights_base & WASI_RIGHTS_DIR : WASI_RIGHTS_DIR;
    e.inheriting = p->rights_inheriting ? p->rights_inheriting & WASI_RIGHTS_ALL
                                        : WASI_RIGHTS_DIR | WASI_RIGHTS_FILE;
    e.preopen = len < UINT32_MAX ? wasi_realloc(ctx, NULL, 0, len + 1) : NULL;
    if (!e.preopen) {
        close(host);
        return diag_msg(diag, DIAG_OOM, "out of memory");
    }
    memcpy(e.preopen, p->guest, len + 1);
    if (insert(ctx, &e, diag)) return true;
    mem_free(&ctx->mem, e.preopen, len + 1);
    close(host);
    return false;
}

/* ---- life ---- */

static bool openat2_works(void) {
    struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root < 0) return false;
    long fd = syscall(SYS_openat2, root, ".", &how, sizeof how);
    if (fd >= 0) close((int)fd);
    close(root);
    return fd >= 0;
}

WasiConfig wasi_config_default(void) {
    WasiConfig cfg = {0};
    for (int i = 0; i < 3; i++) cfg.stdio[i] = (WasiStdio){.kind = WASI_STDIO_FD, .fd = i};
    return cfg;
}

static bool fill(WasiCtx *ctx, const WasiConfig *cfg, Diag *diag) {
    size_t used_size = WASI_FD_WORDS(ctx->fds_max) * sizeof *ctx->used;
    ctx->used = wasi_realloc(ctx, NULL, 0, used_size);
    if (!ctx->used) return diag_msg(diag, DIAG_OOM, "out of memory");
    memset(ctx->used, 0, used_size);
    if (!copy_strings(ctx, cfg->argv, cfg->argc, &ctx->args) ||
        !copy_strings(ctx, cfg->env, cfg->nenv, &ctx->env))
        return diag_msg(diag, DIAG_OOM, "out of memory for arguments and environment");
    bool closed[3]; /* found out before a directory opened below takes such a number in the host */
    for (uint32_t i = 0; i < 3; i++) {
        closed[i] = stdio_is_closed(&cfg->stdio[i]);
        if (!add_stdio(ctx, &cfg->stdio[i], i, closed[i], diag)) return false;
    }
    for (uint32_t i = 0; i < cfg->npreopens; i++)
        if (!add_preopen(ctx, &cfg->preopens[i], diag)) return false;
    for (uint32_t i = 0; i < cfg->nsockets; i++)
        if (!add_host(ctx, cfg->sockets[i], "preopened socket", diag)) return false;
    for (uint32_t i = 0; i < 3; i++)
        if (closed[i]) wasi_fd_remove(ctx, i);
    return true;
}

WasiCtx *wasi_new(const WasiConfig *cfg, Diag *diag) {
    WasiCtx boot = {0};
    mem_init(&boot.mem, cfg->hooks);
    WasiCtx *ctx = wasi_realloc(&boot, NULL, 0, sizeof *ctx);
    if (!ctx) {
        diag_msg(diag, DIAG_OOM, "out of memory");
        return NULL;
    }
    *ctx = boot;
    ctx->clock = cfg->clock;
    ctx->random = cfg->random;
    ctx->random_user = cfg->random_user;
    ctx->interrupted = cfg->interrupted;
    ctx->interrupted_user = cfg->interrupted_user;
    ctx->fds_max = cfg->max_fds && cfg->max_fds < WASI_MAX_FDS ? cfg->max_fds : WASI_MAX_FDS;
    struct rlimit limit;
    ctx->file_limit = getrlimit(RLIMIT_FSIZE, &limit) < 0 || limit.rlim_cur != RLIM_INFINITY;
    ctx->openat2 = !cfg->no_openat2 && openat2_works();
    if (fill(ctx, cfg, diag)) return ctx;
    wasi_free(ctx);
    return NULL;
}

void wasi_free(WasiCtx *ctx) {
    if (!ctx) return;
    for (uint32_t fd = 0; fd < ctx->fds_cap; fd++)
        if (ctx->fds[fd].kind != WASI_FD_FREE) wasi_fd_remove(ctx, fd);
    mem_free(&ctx->mem, ctx->fds, ctx->fds_cap * sizeof *ctx->fds);
    wasi_poll_free(ctx);
    mem_free(&ctx->mem, ctx->used, WASI_FD_WORDS(ctx->fds_max) * sizeof *ctx->used);
    mem_free(&ctx->mem, ctx->args.text, ctx->args.size);
    mem_free(&ctx->mem, ctx->env.text, ctx->env.size);
    Mem mem = ctx->mem;
    mem_free(&mem, ctx, sizeof *ctx);
}

int wasi_exit_code(const WasiCtx *ctx, bool *exited) {
    if (exited) *exited = ctx->exited;
    return ctx->exited ? (int)ctx->exit_code : 0;
}

/* runtime/wasi_int.h — what the files wasi*.c share: context, descriptor table, guest memory access.
 *
 * Conventions of these files
 *   - a WasiErrno is the guest's number; host functions that fail give -errno as an int and are
 *     translated by wasi_from_host at one place per function;
 *   - each function of the table checks its descriptors and rights and every guest pointer it will
 *     write through before it touches the host: a call that fails with FAULT, BADF or NOTCAPABLE has
 *     had no effect;
 *   - a WasiFd pointer is valid until the next wasi_fd_insert.
 */
#ifndef COT_RUNTIME_WASI_INT_H
#define COT_RUNTIME_WASI_INT_H
#include <signal.h>
#include <string.h>
#include <time.h>
#include "runtime/wasi.h"

struct stat;

#define WASI_ERRNO(n, v, h) WASI_E##n = v,
#define WASI_ERRNO_ONLY(n, v) WASI_E##n = v,
typedef enum WasiErrno {
#include "runtime/wasi.def"
} WasiErrno;

#define WASI_RIGHT(n, b) WASI_R_##n = 1 << b,
typedef enum WasiRight {
#include "runtime/wasi.def"
} WasiRight;

#define WASI_RIGHTS_ALL ((UINT64_C(1) << 30) - 1)
#define WASI_RIGHTS_FILE                                                                           \
    (uint64_t)(WASI_R_FD_DATASYNC | WASI_R_FD_READ | WASI_R_FD_SEEK | WASI_R_FD_FDSTAT_SET_FLAGS | \
               WASI_R_FD_SYNC | WASI_R_FD_TELL | WASI_R_FD_WRITE | WASI_R_FD_ADVISE |              \
               WASI_R_FD_ALLOCATE | WASI_R_FD_FILESTAT_GET | WASI_R_FD_FILESTAT_SET_SIZE |         \
               WASI_R_FD_FILESTAT_SET_TIMES | WASI_R_POLL_FD_READWRITE)
#define WASI_RIGHTS_DIR                                                                           \
    (uint64_t)(WASI_R_FD_FDSTAT_SET_FLAGS | WASI_R_FD_SYNC | WASI_R_PATH_CREATE_DIRECTORY |       \
               WASI_R_PATH_CREATE_FILE | WASI_R_PATH_LINK_SOURCE | WASI_R_PATH_LINK_TARGET |      \
               WASI_R_PATH_OPEN | WASI_R_FD_READDIR | WASI_R_PATH_READLINK |                      \
               WASI_R_PATH_RENAME_SOURCE | WASI_R_PATH_RENAME_TARGET | WASI_R_PATH_FILESTAT_GET | \
               WASI_R_PATH_FILESTAT_SET_SIZE | WASI_R_PATH_FILESTAT_SET_TIMES |                   \
               WASI_R_FD_FILESTAT_GET | WASI_R_FD_FILESTAT_SET_TIMES | WASI_R_PATH_SYMLINK |      \
               WASI_R_PATH_REMOVE_DIRECTORY | WASI_R_PATH_UNLINK_FILE | WASI_R_POLL_FD_READWRITE)
/* A terminal is told from other character devices by the absence of SEEK and TELL. */
#define WASI_RIGHTS_TTY                                                                         \
    (uint64_t)(WASI_R_FD_READ | WASI_R_FD_FDSTAT_SET_FLAGS | WASI_R_FD_SYNC | WASI_R_FD_WRITE | \
               WASI_R_FD_FILESTAT_GET | WASI_R_POLL_FD_READWRITE)
#define WASI_RIGHTS_SOCKET                                                     \
    (uint64_t)(WASI_R_FD_READ | WASI_R_FD_FDSTAT_SET_FLAGS | WASI_R_FD_WRITE | \
               WASI_R_FD_FILESTAT_GET | WASI_R_POLL_FD_READWRITE | WASI_R_SOCK_SHUTDOWN)

typedef enum WasiFiletype {
    WASI_FILETYPE_UNKNOWN = 0, /* pipes have no number of their own */
    WASI_FILETYPE_BLOCK_DEVICE = 1,
    WASI_FILETYPE_CHARACTER_DEVICE = 2,
    WASI_FILETYPE_DIRECTORY = 3,
    WASI_FILETYPE_REGULAR_FILE = 4,
    WASI_FILETYPE_SOCKET_DGRAM = 5,
    WASI_FILETYPE_SOCKET_STREAM = 6,
    WASI_FILETYPE_SYMBOLIC_LINK = 7,
} WasiFiletype;

enum { /* fdflags */
       WASI_FDFLAG_APPEND = 1,
       WASI_FDFLAG_DSYNC = 2,
       WASI_FDFLAG_NONBLOCK = 4,
       WASI_FDFLAG_RSYNC = 8,
       WASI_FDFLAG_SYNC = 16,
       WASI_FDFLAGS_SYNCS = WASI_FDFLAG_DSYNC | WASI_FDFLAG_RSYNC | WASI_FDFLAG_SYNC,
       WASI_FDFLAGS_ALL = 31,
};
enum { /* oflags, lookupflags, fstflags */
       WASI_OFLAG_CREAT = 1,
       WASI_OFLAG_DIRECTORY = 2,
       WASI_OFLAG_EXCL = 4,
       WASI_OFLAG_TRUNC = 8,
       WASI_OFLAGS_ALL = 15,
       WASI_LOOKUP_FOLLOW = 1,
       WASI_FST_ATIM = 1,
       WASI_FST_ATIM_NOW = 2,
       WASI_FST_MTIM = 4,
       WASI_FST_MTIM_NOW = 8,
       WASI_FST_ALL = 15,
};
enum { WASI_PATH_MAX = 4096, WASI_MAX_FDS = 65536, WASI_MAX_IOVS = 1024, WASI_MAX_LINKS = 40 };
#define WASI_FD_WORDS(n) (((size_t)(n) + 63) / 64)

typedef enum WasiFdKind { WASI_FD_FREE, WASI_FD_HOST, WASI_FD_BYTES, WASI_FD_SINK } WasiFdKind;

typedef struct WasiFd {
    WasiFdKind kind;
    int host;         /* HOST */
    uint8_t filetype; /* WasiFiletype */
    bool owned;       /* close `host` with the entry; may change its status flags */
    bool read_only;   /* opened below a read-only preopen (or such a preopen itself) */
    bool tty, pipe;
    uint8_t flags;      /* fdflags as the guest sees them */
    uint32_t poll_slot; /* place in ctx->polled, in the call of poll_oneoff numbered poll_call */
    uint64_t poll_call;
    uint64_t base, inheriting;
    uint64_t
        unopened;  /* which of FD_READ and FD_WRITE it was never open for: BADF, not NOTCAPABLE */
    char *preopen; /* guest name, NUL-terminated, or NULL */
    uint32_t preopen_len;
    struct WasiDir *dir;  /* state of fd_readdir, or NULL */
    const uint8_t *bytes; /* BYTES: what is left */
    uint64_t bytes_len;
    bool (*sink)(void *user, const uint8_t *data, size_t len);
    void *user;
} WasiFd;

/* Strings laid out as the guest wants them: NUL-terminated one after the other. */
typedef struct WasiStrings {
    char *text;
    uint32_t count, size;
} WasiStrings;

struct WasiCtx {
    Mem mem;
    WasiStrings args, env;
    WasiFd *fds;    /* [fds_cap] */
    uint64_t *used; /* [WASI_FD_WORDS(fds_max)] bit set over fds; all below fd_low are used */
    uint32_t fds_cap, fds_max, fd_low;
    uint32_t polled_cap;
    struct pollfd *polled; /* [polled_cap] what poll_oneoff waits for */
    uint64_t poll_calls;
    WasiClock clock;
    bool (*random)(void *user, uint8_t *out, size_t len);
    void *random_user;
    bool (*interrupted)(void *user);
    void *interrupted_user;
    bool file_limit; /* the host limits the size of files: growing one may raise SIGXFSZ */
    bool openat2;    /* the kernel has it and it may be used */
    bool exited;
    uint32_t exit_code;
};

/* ---- wasi.c ---- */
WasiErrno wasi_from_host(int host_errno); /* takes errno or -errno */
/* Like mem_realloc, but NULL when memory is out. */
void *wasi_realloc(WasiCtx *ctx, void *old, size_t old_size, size_t new_size);

/* ---- wasi_fdtab.c ---- */
WasiErrno wasi_fd_insert(WasiCtx *ctx, const WasiFd *entry, uint32_t *fd);
/* Takes the entry out (it must be in use) and closes what it owns; the error is that of closing. */
WasiErrno wasi_fd_remove(WasiCtx *ctx, uint32_t fd);
/* `to` becomes what `from` was; both must be in use and differ. What `to` was is closed. */
void wasi_fd_move(WasiCtx *ctx, uint32_t from, uint32_t to);
WasiErrno wasi_fd_lookup(WasiCtx *ctx, uint32_t fd, uint64_t rights, WasiFd **out);
/* Lookups that also say what the descriptor must be; kind errors come before NOTCAPABLE. */
WasiErrno wasi_fd_file(WasiCtx *ctx, uint32_t fd, uint64_t rights,
                       WasiFd **out); /* BADF for directories */
WasiErrno wasi_fd_dir(WasiCtx *ctx, uint32_t fd, uint64_t rights, WasiFd **out);  /* NOTDIR */
WasiErrno wasi_fd_sock(WasiCtx *ctx, uint32_t fd, uint64_t rights, WasiFd **out); /* NOTSOCK */
/* Fills filetype, tty, pipe and flags of an entry from its host descriptor. 0 or -errno. */
int wasi_fd_classify(WasiFd *e);
uint64_t wasi_fd_type_rights(const WasiFd *e); /* rights that can apply to the entry at all */
uint8_t wasi_filetype(const struct stat *st);
bool wasi_fd_retry(WasiCtx *ctx, int err); /* a host call gave err: EINTR, and to be repeated? */

/* ---- wasi_io.c ---- */
struct iovec;
/* Reads `count` guest iovecs at `ptr` into `out` (non-empty ones only, at most WASI_MAX_IOVS). */
WasiErrno wasi_iovecs(const WasiFd *e, const WasiMem *m, uint32_t ptr, uint32_t count,
                      struct iovec *out, int *n);
/* Around a host call that may raise `sig` in this thread (0: none): keeps it from being delivered. Keeps errno. */
typedef struct WasiHeld {
    sigset_t old;
    int sig;
    bool was_pending;
} WasiHeld;
void wasi_hold(WasiHeld *held, int sig);
void wasi_release(const WasiHeld *held, bool raised);
/* Before a host call that could block: AGAIN if the guest wants no waiting on a borrowed descriptor and
 * `events` (of poll) are not there. */
WasiErrno wasi_fd_before(const WasiFd *e, short events);
/* After one that failed (errno): to be repeated? Waits first if the host's descriptor does not block but
 * the guest's does. Leaves the error to report in errno. */
bool wasi_fd_again(WasiCtx *ctx, const WasiFd *e, short events);

/* ---- wasi_resolve.c ---- */
/* Opens `path` below the directory `root`; never leaves it. flags are open(2) flags (O_CLOEXEC and
 * O_NOCTTY are added); O_NOFOLLOW concerns the last component. A descriptor or -errno (-EPERM: the
 * path leads out). */
int wasi_open_beneath(const WasiCtx *ctx, int root, const char *path, int flags, unsigned mode);
/* The directory that holds the last component of `path`, and that component. */
typedef struct WasiLeaf {
    int dir;    /* the descriptor to use with `name` */
    bool own;   /* dir must be closed (wasi_leaf_close) */
    bool slash; /* the path ended in '/' */
    bool
        special; /* the last component is "." or "..": it is an existing directory inside the root */
    bool dotdot;
    char name[256];
} WasiLeaf;
int wasi_leaf_open(const WasiCtx *ctx, int root, const char *path,
                   WasiLeaf *leaf); /* 0 or -errno */
void wasi_leaf_close(WasiLeaf *leaf);

/* ---- wasi_dir.c ---- */
void wasi_dir_free(WasiCtx *ctx, struct WasiDir *dir); /* NULL is fine */

/* ---- wasi_fd.c ---- */
enum { WASI_FILESTAT_SIZE = 64, WASI_FILESTAT_P0_SIZE = 56 };
void wasi_put_filestat(uint8_t *p, const struct stat *st, uint8_t filetype, bool p0);
WasiErrno wasi_times(uint64_t atim, uint64_t mtim, uint32_t flags, struct timespec out[2]);

/* ---- wasi_poll.c ---- */
void wasi_poll_free(WasiCtx *ctx);

/* ---- wasi_misc.c ---- */
WasiErrno wasi_clock_now(const WasiCtx *ctx, uint32_t id, uint64_t *ns);

/* ---- guest memory ---- */
static inline bool wasi_in(const WasiMem *m, uint32_t ptr, uint64_t len) {
    return ptr <= m->size && len <= m->size - ptr;
}
static inline uint16_t wasi_ld16(const uint8_t *p) {
    uint8_t b[2];
    memcpy(b, p, 2);
    return (uint16_t)(b[0] | b[1] << 8);
}
static inline uint32_t wasi_ld32(const uint8_t *p) {
    uint8_t b[4];
    memcpy(b, p, 4);
    return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}
static inline uint64_t wasi_ld64(const uint8_t *p) {
    return wasi_ld32(p) | (uint64_t)wasi_ld32(p + 4) << 32;
}
static inline void wasi_st16(uint8_t *p, uint32_t v) {
    uint8_t b[2] = {(uint8_t)v, (uint8_t)(v >> 8)};
    memcpy(p, b, 2);
}
static inline void wasi_st32(uint8_t *p, uint32_t v) {
    uint8_t b[4] = {(uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16), (uint8_t)(v >> 24)};
    memcpy(p, b, 4);
}
static inline void wasi_st64(uint8_t *p, uint64_t v) {
    wasi_st32(p, (uint32_t)v);
    wasi_st32(p + 4, (uint32_t)(v >> 32));
}

/* Every function of the table. */
#define WASI_FUNC(mask, name, params, results, fn) \
    uint32_t fn(WasiCtx *ctx, WasiMem *m, const uint64_t *a);
#include "runtime/wasi.def"
#endif

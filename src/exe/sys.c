/* exe/sys.c — calls of the system: a row each, where the kernel's form is the C library's; by hand the few that differ.
 * Ref: Linux x86-64 system call table. Structures (stat, sigset beyond its first 8 bytes excepted, pollfd, iovec, timespec, msghdr)
 * are the same for both. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include "exe/exe.h"

static int error_number;
int *__errno_location(void) {
    return &error_number;
}

long exe_syscall(long n, long a, long b, long c, long d, long e, long f) {
    long r;
    register long r10 __asm__("r10") = d, r8 __asm__("r8") = e, r9 __asm__("r9") = f;
    __asm__ volatile("syscall"
                     : "=a"(r)
                     : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return r;
}

static long result(long r) {
    if ((unsigned long)r <= -4096UL) return r;
    error_number = (int)-r;
    return -1;
}
#define CALL6(n, a, b, c, d, e, f) \
    result(exe_syscall(n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f)))
#define CALL(n, a, b, c) CALL6(n, a, b, c, 0, 0, 0)

long syscall(long n, ...) {
    long a[6];
    va_list ap;
    va_start(ap, n);
    for (int i = 0; i < 6; i++) a[i] = va_arg(ap, long);
    va_end(ap);
    return CALL6(n, a[0], a[1], a[2], a[3], a[4], a[5]);
}

/* ---- the same in both ---- */
#define ROW0(T, name, n)            \
    T name(void) {                  \
        return (T)CALL(n, 0, 0, 0); \
    }
#define ROW1(T, name, n, A)         \
    T name(A a) {                   \
        return (T)CALL(n, a, 0, 0); \
    }
#define ROW2(T, name, n, A, B)      \
    T name(A a, B b) {              \
        return (T)CALL(n, a, b, 0); \
    }
#define ROW3(T, name, n, A, B, C)   \
    T name(A a, B b, C c) {         \
        return (T)CALL(n, a, b, c); \
    }
#define ROW4(T, name, n, A, B, C, D)          \
    T name(A a, B b, C c, D d) {              \
        return (T)CALL6(n, a, b, c, d, 0, 0); \
    }
#define ROW5(T, name, n, A, B, C, D, E)       \
    T name(A a, B b, C c, D d, E e) {         \
        return (T)CALL6(n, a, b, c, d, e, 0); \
    }
ROW0(int, sched_yield, SYS_sched_yield)
ROW0(pid_t, getpid, SYS_getpid)
ROW0(pid_t, gettid, SYS_gettid)
ROW1(int, close, SYS_close, int)
ROW1(int, fsync, SYS_fsync, int)
ROW1(int, fdatasync, SYS_fdatasync, int)
ROW2(int, munmap, SYS_munmap, void *, size_t)
ROW2(int, fstat, SYS_fstat, int, struct stat *)
ROW2(int, fstatfs, SYS_fstatfs, int, struct statfs *)
ROW2(int, ftruncate, SYS_ftruncate, int, off_t)
ROW2(int, shutdown, SYS_shutdown, int, int)
ROW2(int, clock_getres, SYS_clock_getres, clockid_t, struct timespec *)
ROW2(int, clock_gettime, SYS_clock_gettime, clockid_t, struct timespec *)
ROW3(int, mprotect, SYS_mprotect, void *, size_t, int)
ROW3(ssize_t, write, SYS_write, int, const void *, size_t)
ROW3(ssize_t, readv, SYS_readv, int, const struct iovec *, int)
ROW3(ssize_t, writev, SYS_writev, int, const struct iovec *, int)
ROW3(off_t, lseek, SYS_lseek, int, off_t, int)
ROW3(int, mkdirat, SYS_mkdirat, int, const char *, mode_t)
ROW3(int, symlinkat, SYS_symlinkat, const char *, int, const char *)
ROW3(int, unlinkat, SYS_unlinkat, int, const char *, int)
ROW3(int, poll, SYS_poll, struct pollfd *, nfds_t, int)
ROW3(ssize_t, recvmsg, SYS_recvmsg, int, struct msghdr *, int)
ROW3(ssize_t, sendmsg, SYS_sendmsg, int, const struct msghdr *, int)
ROW3(ssize_t, getrandom, SYS_getrandom, void *, size_t, unsigned)
ROW4(int, fstatat, SYS_newfstatat, int, const char *restrict, struct stat *restrict, int)
ROW4(int, renameat, SYS_renameat, int, const char *, int, const char *)
ROW4(ssize_t, readlinkat, SYS_readlinkat, int, const char *restrict, char *restrict, size_t)
ROW4(int, fallocate, SYS_fallocate, int, int, off_t, off_t)
ROW5(int, linkat, SYS_linkat, int, const char *, int, const char *, int)

int accept4(int fd, struct sockaddr *restrict address, socklen_t *restrict size, int flags) {
    return (int)CALL6(SYS_accept4, fd, address, size, flags, 0, 0);
}
int getsockopt(int fd, int level, int name, void *restrict value, socklen_t *restrict size) {
    return (int)CALL6(SYS_getsockopt, fd, level, name, value, size, 0);
}
int getrlimit(__rlimit_resource_t what, struct rlimit *limits) {
    return (int)CALL6(SYS_prlimit64, 0, what, 0, limits, 0, 0);
}
void *mmap(void *p, size_t n, int prot, int flags, int fd, off_t at) {
    return (void *)CALL6(SYS_mmap, p, n, prot, flags, fd, at);
}
void *mremap(void *old, size_t old_size, size_t size, int flags, ...) {
    return (void *)CALL6(SYS_mremap, old, old_size, size, flags, 0, 0);
}
int utimensat(int dir, const char *path, const struct timespec t[2], int flags) {
    return (int)CALL6(SYS_utimensat, dir, path, t, flags, 0, 0);
}
int futimens(int fd, const struct timespec t[2]) {
    return (int)CALL6(SYS_utimensat, fd, NULL, t, 0, 0, 0);
}

/* ---- optional arguments ---- */
int open(const char *path, int flags, ...) {
    va_list ap;
    va_start(ap, flags);
    mode_t mode = va_arg(ap, mode_t);
    va_end(ap);
    return (int)CALL(SYS_open, path, flags, mode);
}
int openat(int dir, const char *path, int flags, ...) {
    va_list ap;
    va_start(ap, flags);
    mode_t mode = va_arg(ap, mode_t);
    va_end(ap);
    return (int)CALL6(SYS_openat, dir, path, flags, mode, 0, 0);
}
int fcntl(int fd, int what, ...) {
    va_list ap;
    va_start(ap, what);
    long arg = va_arg(ap, long);
    va_end(ap);
    return (int)CALL(SYS_fcntl, fd, what, arg);
}
int ioctl(int fd, unsigned long what, ...) {
    va_list ap;
    va_start(ap, what);
    void *arg = va_arg(ap, void *);
    va_end(ap);
    return (int)CALL(SYS_ioctl, fd, what, arg);
}
int isatty(int fd) {
    struct termios t;
    return ioctl(fd, TCGETS, &t) == 0;
}

/* ---- another form ---- */
int posix_fadvise(int fd, off_t at, off_t n, int advice) {
    return (int)-exe_syscall(SYS_fadvise64, fd, at, n, advice, 0, 0);
}
/* The kernel takes offsets in two halves, of which the second is not used here. */
ssize_t preadv(int fd, const struct iovec *v, int n, off_t at) {
    return CALL6(SYS_preadv, fd, v, n, at, 0, 0);
}
ssize_t pwritev(int fd, const struct iovec *v, int n, off_t at) {
    return CALL6(SYS_pwritev, fd, v, n, at, 0, 0);
}
ssize_t pwritev2(int fd, const struct iovec *v, int n, off_t at, int flags) {
    return CALL6(SYS_pwritev2, fd, v, n, at, 0, flags);
}

_Noreturn void _exit(int status) {
    for (;;) exe_syscall(SYS_exit_group, status, 0, 0, 0, 0, 0);
}
_Noreturn void abort(void) {
    raise(SIGABRT);
    for (;;) __builtin_trap();
}

/* ---- signals: the kernel's set has 8 bytes ---- */
enum { SET_BYTES = 8 };
static uint64_t *bits(const sigset_t *s) {
    return (uint64_t *)(uintptr_t)s;
}
int sigemptyset(sigset_t *s) {
    memset(s, 0, sizeof *s);
    return 0;
}
int sigaddset(sigset_t *s, int sig) {
    *bits(s) |= (uint64_t)1 << (sig - 1);
    return 0;
}
int sigismember(const sigset_t *s, int sig) {
    return (int)(*bits(s) >> (sig - 1) & 1);
}
int pthread_sigmask(int how, const sigset_t *restrict set, sigset_t *restrict old) {
    return (int)-exe_syscall(SYS_rt_sigprocmask, how, (long)set, (long)old, SET_BYTES, 0, 0);
}
int sigpending(sigset_t *s) {
    return (int)CALL(SYS_rt_sigpending, s, SET_BYTES, 0);
}
int sigtimedwait(const sigset_t *restrict s, siginfo_t *restrict info,
                 const struct timespec *restrict t) {
    return (int)CALL6(SYS_rt_sigtimedwait, s, info, t, SET_BYTES, 0, 0);
}
int ppoll(struct pollfd *p, nfds_t n, const struct timespec *t, const sigset_t *mask) {
    struct timespec left; /* the kernel writes what is left */
    if (t) left = *t;
    return (int)CALL6(SYS_ppoll, p, n, t ? &left : NULL, mask, SET_BYTES, 0);
}
int raise(int sig) {
    return (int)CALL(SYS_tgkill, getpid(), gettid(), sig);
}

typedef struct KernelAction {
    void *handler;
    unsigned long flags;
    void (*restorer)(void);
    uint64_t mask;
} KernelAction;
void exe_restorer(void);
__asm__(".type exe_restorer, @function\n"
        "exe_restorer:\n"
        "    mov $15, %eax\n" /* rt_sigreturn */
        "    syscall\n"
        ".size exe_restorer, . - exe_restorer\n");

int sigaction(int sig, const struct sigaction *restrict now, struct sigaction *restrict old) {
    enum { SA_RESTORER_FLAG = 0x04000000 };
    KernelAction k, was;
    memset(&was, 0, sizeof was);
    if (now) {
        memcpy(&k.handler, &now->sa_handler, sizeof k.handler);
        k.flags = (unsigned)now->sa_flags | SA_RESTORER_FLAG;
        k.restorer = exe_restorer;
        k.mask = *bits(&now->sa_mask);
    }
    if (CALL6(SYS_rt_sigaction, sig, now ? &k : NULL, &was, SET_BYTES, 0, 0)) return -1;
    if (old) {
        memset(old, 0, sizeof *old);
        memcpy(&old->sa_handler, &was.handler, sizeof was.handler);
        old->sa_flags = (int)(was.flags & ~(unsigned long)SA_RESTORER_FLAG);
        *bits(&old->sa_mask) = was.mask;
    }
    return 0;
}

/* ---- one thread ---- */
int pthread_mutex_init(pthread_mutex_t *m, const pthread_mutexattr_t *a) {
    (void)m, (void)a;
    return 0;
}
int pthread_mutex_destroy(pthread_mutex_t *m) {
    (void)m;
    return 0;
}
int pthread_mutex_lock(pthread_mutex_t *m) {
    (void)m;
    return 0;
}
int pthread_mutex_unlock(pthread_mutex_t *m) {
    (void)m;
    return 0;
}
int pthread_once(pthread_once_t *once, void (*f)(void)) {
    if (*once != PTHREAD_ONCE_INIT) return 0;
    *once = PTHREAD_ONCE_INIT + 1;
    f();
    return 0;
}
pthread_t pthread_self(void) {
    return 0;
}
int pthread_getattr_np(pthread_t t, pthread_attr_t *a) {
    (void)t, (void)a;
    return ENOSYS;
}
int pthread_attr_getstack(const pthread_attr_t *restrict a, void **restrict p, size_t *restrict n) {
    (void)a, (void)p, (void)n;
    return ENOSYS;
}
int pthread_attr_destroy(pthread_attr_t *a) {
    (void)a;
    return 0;
}

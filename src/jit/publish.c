/* jit/publish.c — registration of unwinding information, perf's map and dump files.
 *
 * Unwinder    libgcc's __register_frame takes a whole .eh_frame section, LLVM's libunwind one entry at a time; which of them the
 *             process has is looked up when it is needed, so that this library needs neither.
 * perf map    lines `start size name`, in hexadecimal, appended: every linker of the process writes to the same file.
 * jitdump     a header, then a record per function with its code (Linux, tools/perf/Documentation/jitdump-specification.txt). perf
 *             finds the file because a page of it is mapped executable. Times are of CLOCK_MONOTONIC (perf record -k 1). */
#include "jit/publish.h"
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* ---- unwinder ---- */
typedef void FrameFn(void *);
void __register_frame(void *) __attribute__((weak));
void __deregister_frame(void *) __attribute__((weak));

static FrameFn *found(FrameFn *weak, const char *name) {
    if (weak) return weak;
    union {
        void *object;
        FrameFn *function;
    } p = {dlsym(RTLD_DEFAULT, name)};
    return p.function;
}
static uint32_t u32(const uint8_t *p) {
    uint32_t x;
    memcpy(&x, p, 4);
    return x;
}

bool jit_can_unwind(void) {
    return found(__register_frame, "__register_frame") &&
           found(__deregister_frame, "__deregister_frame");
}

static void tell(FrameFn *f, const uint8_t *frames) {
    if (!f) return;
    if (!dlsym(RTLD_DEFAULT, "__unw_add_dynamic_fde")) {
        f((void *)(uintptr_t)frames);
        return;
    }
    for (const uint8_t *p = frames; u32(p); p += 4 + u32(p))
        if (u32(p + 4)) f((void *)(uintptr_t)p);
}
void jit_publish_frames(const uint8_t *frames) {
    if (jit_can_unwind()) tell(found(__register_frame, "__register_frame"), frames);
}
void jit_withdraw_frames(const uint8_t *frames) {
    if (jit_can_unwind()) tell(found(__deregister_frame, "__deregister_frame"), frames);
}

/* ---- perf ---- */
struct JitPerf {
    Mem *mem;
    FILE *map, *dump;
    void *marker; /* a page of the dump file */
    size_t page;
    uint64_t index;
};

static uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static bool open_dump(JitPerf *p, Diag *d) {
    struct Header {
        uint32_t magic, version, size, machine, pad, pid;
        uint64_t time, flags;
    } h = {0x4A695444, 1, sizeof h, 62, 0, (uint32_t)getpid(), now(), 0};
    char name[64];
    snprintf(name, sizeof name, "jit-%ld.dump", (long)getpid());
    int fd = open(name, O_CREAT | O_TRUNC | O_RDWR | O_CLOEXEC, 0666);
    if (fd < 0) return diag_msg(d, DIAG_IO, "%s: %s", name, strerror(errno));
    p->page = (size_t)sysconf(_SC_PAGESIZE);
    p->marker = mmap(NULL, p->page, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
    p->dump = fdopen(fd, "wb");
    if (p->marker == MAP_FAILED || !p->dump || fwrite(&h, sizeof h, 1, p->dump) != 1) {
        if (p->marker == MAP_FAILED) p->marker = NULL;
        if (!p->dump) close(fd);
        return diag_msg(d, DIAG_IO, "%s: %s", name, strerror(errno));
    }
    return true;
}

JitPerf *jit_perf_open(Mem *m, unsigned what, Diag *d) {
    JitPerf *p = mem_alloc(m, sizeof *p);
    memset(p, 0, sizeof *p);
    p->mem = m;
    bool ok = true;
    if (what & JIT_PUBLISH_PERF_MAP) {
        char name[64];
        snprintf(name, sizeof name, "/tmp/perf-%ld.map", (long)getpid());
        p->map = fopen(name, "ae");
        if (!p->map) ok = diag_msg(d, DIAG_IO, "%s: %s", name, strerror(errno));
    }
    if (ok && what & JIT_PUBLISH_JITDUMP) ok = open_dump(p, d);
    if (ok) return p;
    jit_perf_close(p);
    return NULL;
}

void jit_perf_close(JitPerf *p) {
    if (!p) return;
    if (p->map) fclose(p->map);
    if (p->marker) munmap(p->marker, p->page);
    if (p->dump) fclose(p->dump);
    mem_free(p->mem, p, sizeof *p);
}

void jit_perf_code(JitPerf *p, const char *name, const uint8_t *at, size_t size) {
    if (p->map) {
        fprintf(p->map, "%llx %llx %s\n", (unsigned long long)(uintptr_t)at,
                (unsigned long long)size, name);
        fflush(p->map);
    }
    if (!p->dump) return;
    struct Load {
        uint32_t id, total;
        uint64_t time;
        uint32_t pid, tid;
        uint64_t vma, address, size, index;
    } l = {0,
           (uint32_t)(sizeof l + strlen(name) + 1 + size),
           now(),
           (uint32_t)getpid(),
           (uint32_t)syscall(SYS_gettid),
           (uint64_t)(uintptr_t)at,
           (uint64_t)(uintptr_t)at,
           size,
           p->index++};
    fwrite(&l, sizeof l, 1, p->dump);
    fwrite(name, strlen(name) + 1, 1, p->dump);
    fwrite(at, 1, size, p->dump);
    fflush(p->dump);
}

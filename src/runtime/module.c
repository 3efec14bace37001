/* runtime/module.c — images in memory, and modules made of them.
 *
 * Idea        However an image came here (made by a compiler, copied, mapped from a file, linked into the program), it lies in one
 *             block with a page for its slots behind. Making a module of it fills the slots and gives each part its protection:
 *             tables and slots are read, code is executed, nothing is ever written and executed.
 * Invariants  1. A module is immutable once rt_module_new has returned; threads share it without locks.
 *             2. All other memory of a module lies in its Mem, so a failure at any point is undone by giving that back.
 * Cost        that of img_open, one number per function type, and a few calls of the system. */
#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include "runtime/rt_int.h"

static size_t pages(size_t n) {
    return (n + IMG_PAGE - 1) / IMG_PAGE * IMG_PAGE;
}

/* ---- blobs ---- */
bool rt_blob_new(RtBlob *b, size_t size, Diag *d) {
    memset(b, 0, sizeof *b);
    size_t mapped = pages(size) + IMG_PAGE;
    void *p = mmap(NULL, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) return diag_msg(d, DIAG_OOM, "no memory for %zu bytes of code", mapped);
    *b = (RtBlob){p, size, mapped, false};
    return true;
}

bool rt_blob_copy(RtBlob *b, const void *bytes, size_t size, Diag *d) {
    if (!rt_blob_new(b, size, d)) return false;
    memcpy(b->base, bytes, size);
    return true;
}

bool rt_blob_map(RtBlob *b, int fd, Diag *d) {
    struct stat st;
    memset(b, 0, sizeof *b);
    if (fstat(fd, &st) || !S_ISREG(st.st_mode)) return diag_msg(d, DIAG_IO, "not a regular file");
    if (st.st_size < (off_t)sizeof(ImgHeader) || (uint64_t)st.st_size > (uint64_t)1 << 40)
        return diag_msg(d, DIAG_MALFORMED, "damaged precompiled module: it is cut off");
    if (!rt_blob_new(b, (size_t)st.st_size, d)) return false;
    b->of_file = true;
    if (mmap(b->base, b->size, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 0) != MAP_FAILED)
        return true;
    int e = errno;
    rt_blob_free(b);
    return diag_msg(d, DIAG_IO, "cannot be mapped: %s", strerror(e));
}

void rt_blob_free(RtBlob *b) {
    if (b->mapped) munmap(b->base, b->mapped);
    memset(b, 0, sizeof *b);
}

/* ---- modules ---- */
static bool suits(const RtEngine *e, const ImgHeader *h, Diag *d) {
    const char *what = NULL;
    if (h->flags & IMG_NEEDS_GUARDS && !e->guards)
        what = "compiled for memories with guard pages, which there are none of here";
    else if (h->flags & IMG_NEEDS_SIGNALS && e->cfg.no_signals)
        what = "compiled for signal handlers, which are off here";
    else if (e->cfg.interruptible && !(h->flags & IMG_HAS_POLLS))
        what = "compiled without polls, so it could not be interrupted";
    return !what || diag_msg(d, DIAG_UNSUPPORTED, "%s", what);
}

static bool fill_slots(uint8_t *at, const Image *img, Diag *d) {
    for (uint32_t k = 0; k < img->nroutines; k++) {
        const void *p = rt_routine(img->routines[k]);
        if (!p)
            return diag_msg(d, DIAG_LINK, "the runtime has no routine of number %u",
                            img->routines[k]);
        memcpy(at + 8 * k, &p, 8);
    }
    return true;
}

/* Slots and protection. The file system may forbid execution (*denied). */
static bool seal(RtModule *m, bool *denied, Diag *d) {
    const RtBlob *b = &m->blob;
    uint8_t *slots = b->base + pages(b->size);
    size_t code_off = (size_t)m->img.h->code_off;
    *denied = false;
    if (!fill_slots(slots, &m->img, d)) return false;
    if (mprotect(slots, IMG_PAGE, PROT_READ) ||
        (!b->of_file && mprotect(b->base, code_off, PROT_READ)))
        return diag_msg(d, DIAG_OOM, "the system refuses to protect memory");
    if (b->size > code_off &&
        mprotect(b->base + code_off, pages(b->size) - code_off, PROT_READ | PROT_EXEC)) {
        *denied = errno == EACCES || errno == EPERM;
        return diag_msg(d, DIAG_OOM, "the system refuses executable memory");
    }
    return true;
}

/* The slots of a module of this program belong to all engines; the first one fills them. */
static pthread_mutex_t linked_lock = PTHREAD_MUTEX_INITIALIZER;
static bool seal_linked(RtModule *m, void *slots, Diag *d) {
    if (!m->img.nroutines) return true;
    uint64_t filled;
    pthread_mutex_lock(&linked_lock);
    memcpy(&filled, slots, sizeof filled);
    bool ok = filled != 0;
    if (!ok && fill_slots(slots, &m->img, d))
        ok = mprotect(slots, IMG_PAGE, PROT_READ) == 0 ||
             diag_msg(d, DIAG_OOM, "the system refuses to protect memory");
    pthread_mutex_unlock(&linked_lock);
    return ok;
}

typedef struct Making {
    RtModule *m;
    ImgTrust trust;
    const RtLinked *linked; /* else the blob */
    bool ok;
    Diag *d;
} Making;

static bool number_types(RtModule *m, Diag *d) {
    const Image *img = &m->img;
    m->sig_ids = mem_alloc(&m->mem, (img->ntypes + (size_t)1) * sizeof *m->sig_ids);
    for (uint32_t k = 0; k < img->ntypes; k++) {
        const ImgType *t = &img->types[k];
        m->sig_ids[k] = rt_sig_id(m->engine, img->valtypes + t->first, t->nparams, t->nresults);
        if (m->sig_ids[k] == UINT32_MAX) return diag_msg(d, DIAG_OOM, "out of memory");
    }
    return true;
}

static void make(void *arg) {
    Making *q = arg;
    RtModule *m = q->m;
    bool open = q->linked ? img_open_linked(&m->img, q->linked->tables, q->linked->code, q->d)
                          : img_open(&m->img, m->blob.base, m->blob.size, q->trust, q->d);
    if (!open || !suits(m->engine, m->img.h, q->d) || !number_types(m, q->d)) return;
    if (q->linked) {
        q->ok = seal_linked(m, q->linked->slots, q->d);
        return;
    }
    Diag first;
    bool denied;
    diag_clear(&first);
    q->ok = seal(m, &denied, m->blob.of_file ? &first : q->d);
    if (q->ok || !m->blob.of_file) return;
    if (!denied) {
        *q->d = first;
        return;
    }
    RtBlob copy; /* execution is forbidden where the file lies, but not in memory */
    if (!rt_blob_copy(&copy, m->blob.base, m->blob.size, q->d)) return;
    rt_blob_free(&m->blob);
    m->blob = copy;
    q->ok = img_open(&m->img, copy.base, copy.size, IMG_TRUSTED, q->d) && seal(m, &denied, q->d);
}

static void make_and_tell(void *arg) {
    Making *q = arg;
    make(q);
    if (q->ok && q->m->engine->cfg.perf_map) q->ok = rt_perf_map(q->m, q->d);
}

/* b, linked: one of them. */
static RtModule *module_new(RtEngine *e, RtBlob *b, ImgTrust trust, const RtLinked *linked,
                            Diag *d) {
    Mem boot;
    mem_init(&boot, e->cfg.hooks);
    RtModule *m = mem_try_realloc(&boot, NULL, 0, sizeof *m);
    if (!m) {
        if (b) rt_blob_free(b);
        diag_msg(d, DIAG_OOM, "out of memory");
        return NULL;
    }
    memset(m, 0, sizeof *m);
    m->mem = boot;
    if (b) m->blob = *b;
    m->engine = e;
    atomic_init(&m->refs, 1);
    rt_engine_ref(e);
    Making q = {.m = m, .trust = trust, .linked = linked, .d = d};
    if (!mem_guard(&m->mem, make_and_tell, &q)) q.ok = diag_msg(d, DIAG_OOM, "out of memory");
    if (q.ok) return m;
    rt_module_free(m);
    return NULL;
}

RtModule *rt_module_new(RtEngine *e, RtBlob *b, ImgTrust trust, Diag *d) {
    return module_new(e, b, trust, NULL, d);
}

RtModule *rt_module_linked(RtEngine *e, const RtLinked *linked, Diag *d) {
    return module_new(e, NULL, IMG_TRUSTED, linked, d);
}

void rt_module_ref(const RtModule *m) {
    atomic_fetch_add(&((RtModule *)(uintptr_t)m)->refs, 1);
}

void rt_module_free(RtModule *m) {
    if (!m || atomic_fetch_sub(&m->refs, 1) != 1) return;
    RtEngine *e = m->engine;
    if (m->attached_free) m->attached_free(m->attached);
    rt_blob_free(&m->blob);
    mem_release_all(&m->mem);
    rt_engine_free(e);
}

void rt_module_attach(RtModule *m, void *what, void (*free)(void *what)) {
    m->attached = what;
    m->attached_free = free;
}

const Image *rt_module_image(const RtModule *m) {
    return &m->img;
}
const MemHooks *rt_module_hooks(const RtModule *m) {
    return m->engine->cfg.hooks;
}

size_t rt_module_serialized_size(const RtModule *m) {
    return m->blob.size;
}

void rt_module_serialize(const RtModule *m, uint8_t *to) {
    ImgHeader h = *m->img.h;
    memcpy(to, m->blob.base, m->blob.size);
    img_set_sums(&h, to);
    memcpy(to, &h, sizeof h);
}

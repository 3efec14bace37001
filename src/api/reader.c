/* api/reader.c — .clif text to functions, for users of the C interface. */
#include "api/clif_int.h"
#include "clif/text.h"

struct CotReader {
    Mem mem;
    Diag d;
    ClifReader *r;
    const char *text;
    uint32_t size;
    bool broken; /* memory ran out in the middle */
};

static void step_open(void *p) {
    CotReader *r = p;
    r->r = clif_reader_new(&r->mem, r->text, r->size, &r->d);
}

static CotStatus fail_text(CotError *e, const Diag *d) {
    api_fail_diag(e, d);
    if (d->pos_kind == DIAG_POS_LINE)
        api_fail(e, api_status(d->kind), "%llu:%llu: %.400s", (unsigned long long)d->a,
                 (unsigned long long)d->b, d->msg);
    return api_status(d->kind);
}

CotReader *cot_reader_new(const char *text, size_t size, CotError *error) {
    if (!text || size >= UINT32_MAX) {
        api_fail(error, COT_LIMIT, "a text of 4 GiB or none");
        return NULL;
    }
    CotReader *r = api_new_with_mem(NULL, sizeof *r);
    if (!r) {
        api_fail(error, COT_NO_MEMORY, "out of memory");
        return NULL;
    }
    diag_clear(&r->d);
    r->text = text;
    r->size = (uint32_t)size;
    if (mem_guard(&r->mem, step_open, r) && r->d.kind == DIAG_NONE) return r;
    if (r->d.kind)
        fail_text(error, &r->d);
    else
        api_fail(error, COT_NO_MEMORY, "out of memory");
    cot_reader_free(r);
    return NULL;
}

void cot_reader_free(CotReader *r) {
    if (r) mem_release_all(&r->mem);
}

typedef struct Next {
    CotReader *r;
    CotFunction *f;
    bool got;
} Next;

/* Either of the two memories may run out: the reader's inside the function's guard. */
static void step_next_reader(void *p) {
    Next *n = p;
    n->got = clif_reader_next(n->r->r, &n->f->f, NULL);
}

static uint32_t step_next(CotFunction *f, const void *in) {
    Next *n = *(Next *const *)in;
    Diag d;
    if (!mem_guard(&n->r->mem, step_next_reader, n)) {
        n->r->broken = true;
        return api_stick(f, COT_NO_MEMORY, "out of memory");
    }
    if (!n->got) return 0;
    f->state = FUNC_DONE;
    diag_clear(&d);
    if (!clif_verify(&f->verify, &f->f, &d)) api_stick_diag(f, &d);
    return 0;
}

CotStatus cot_reader_next(CotReader *r, CotFunction *f, bool *found, CotError *error) {
    if (found) *found = false;
    if (!r || !f) return api_fail(error, COT_MISUSE, "no reader or no function is given");
    if (r->broken) return api_fail(error, COT_NO_MEMORY, "out of memory");
    Next n = {r, f, false}, *at = &n;
    api_func_reset(f);
    api_guard(f, step_next, &at);
    if (f->status == COT_NO_MEMORY) r->broken = true;
    if (!f->status && !n.got && r->d.kind) api_stick_diag(f, &r->d);
    if (found) *found = n.got;
    if (f->status && error) *error = f->error;
    return f->status;
}

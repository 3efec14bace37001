/* rtapi/error.c — CotError: one struct for everything that can go wrong, filled in by whoever fails. */
#include <stdarg.h>
#include <stdio.h>
#include "rtapi/rtapi.h"

#define STR2(x) #x
#define STR(x) STR2(x)

const char *cot_version(void) {
    return STR(COT_VERSION_MAJOR) "." STR(COT_VERSION_MINOR) "." STR(COT_VERSION_PATCH);
}

uint32_t cot_version_number(void) {
    return COT_VERSION_MAJOR * 10000 + COT_VERSION_MINOR * 100 + COT_VERSION_PATCH;
}

const char *cot_status_name(CotStatus status) {
    switch (status) {
    case COT_OK: return "ok";
    case COT_MALFORMED: return "malformed module";
    case COT_INVALID: return "invalid module";
    case COT_UNSUPPORTED: return "unsupported";
    case COT_LIMIT: return "limit exceeded";
    case COT_LINK: return "link error";
    case COT_IO: return "input/output error";
    case COT_NO_MEMORY: return "out of memory";
    case COT_MISUSE: return "misuse";
    case COT_TRAP: return "trap";
    case COT_EXIT: return "exit";
    }
    return "unknown status";
}

CotStatus api_status(DiagKind kind) {
    switch (kind) {
    case DIAG_NONE: return COT_OK;
    case DIAG_MALFORMED: return COT_MALFORMED;
    case DIAG_INVALID: return COT_INVALID;
    case DIAG_UNSUPPORTED: return COT_UNSUPPORTED;
    case DIAG_LIMIT: return COT_LIMIT;
    case DIAG_LINK: return COT_LINK;
    case DIAG_IO: return COT_IO;
    case DIAG_OOM: return COT_NO_MEMORY;
    }
    return COT_MISUSE;
}

static void put(CotError *e, CotStatus status, uint64_t offset, uint32_t function) {
    e->status = status;
    e->function = function;
    e->offset = offset;
    e->message[0] = 0;
}

_Static_assert(sizeof((CotError *)0)->message == sizeof((Diag *)0)->msg, "messages fit");

CotStatus api_fail_diag(CotError *e, const Diag *d) {
    CotStatus s = api_status(d->kind);
    if (!e) return s;
    put(e, s, d->pos_kind == DIAG_POS_OFFSET ? d->a : COT_NO_OFFSET, d->func);
    memcpy(e->message, d->msg, sizeof e->message);
    return s;
}

CotStatus api_fail(CotError *e, CotStatus status, const char *fmt, ...) {
    if (!e) return status;
    put(e, status, COT_NO_OFFSET, COT_NO_FUNCTION);
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(e->message, sizeof e->message, fmt, ap);
    va_end(ap);
    if (n >= (int)sizeof e->message) memcpy(e->message + sizeof e->message - 4, "...", 4);
    return status;
}

CotStatus api_fail_run(CotError *e, const RtStore *s) {
    const RtTrap *t = rt_store_trap(s);
    if (t->code == VM_TRAP_NONE)
        return api_fail(e, COT_EXIT, "the program ended with code %d", t->exit_code);
    api_fail(e, COT_TRAP, "%s", cot_trap_message(trap_api(t)));
    if (e && t->num_frames) {
        e->function = t->frames[0].func;
        if (t->frames[0].offset != IMG_NONE) e->offset = t->frames[0].offset;
    }
    return COT_TRAP;
}

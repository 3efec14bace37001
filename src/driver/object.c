/* driver/object.c — `cot compile FILE -o OUT`: an object file or shared library from a CLIF text. */
#include <errno.h>
#include "driver/compile.h"
#include "driver/listing.h"
#include "clif/text.h"
#include "module/cliftext.h"

static bool write_file(const char *path, const VecU8 *bytes, Diag *d) {
    if (strcmp(path, "-") == 0) {
        fwrite(bytes->p, 1, bytes->n, stdout); /* main looks whether it arrived */
        return true;
    }
    FILE *f = fopen(path, "wb");
    bool ok = f && fwrite(bytes->p, 1, bytes->n, f) == bytes->n;
    int error = errno;
    if (f && fclose(f) != 0 && ok) {
        error = errno;
        ok = false;
    }
    return ok || diag_msg(d, DIAG_IO, "cannot write: %s", strerror(error));
}

static const char *base_name(const char *path) {
    if (strcmp(path, "-") == 0) return "<stdin>";
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static MachSettings settings_for_files(const CompileOpts *o) {
    MachSettings s = mach_settings_default();
    s.is_pic = true;
    s.tls_model = MACH_TLS_ELF_GD;
    s.preserve_frame_pointers = true;
    s.enable_probestack = true;
    s.probestack_strategy = MACH_PROBE_INLINE;
    MachRegalloc choice = o->common.cfg.regalloc    ? o->common.cfg.regalloc
                          : o->common.cfg.opt_level ? MACH_REGALLOC_BACKTRACKING
                                                    : MACH_REGALLOC_SINGLE_PASS;
    s.regalloc_algorithm = (uint8_t)(choice - 1);
    s.opt_level = o->common.cfg.opt_level ? 1 : 0;
    s.regalloc_checker = s.verify_input = o->common.cfg.verify;
    s.stress_seed = o->common.cfg.stress_seed;
    return s;
}

/* The text's functions, compiled. False: reported. */
static bool read_text(const CompileOpts *o, Linkable *k, Mem *mem, ObjectTarget *t) {
    Diag d;
    diag_clear(&d);
    const char *text = (const char *)o->bytes;
    if (!object_target(o->target, t, &d)) {
        fprintf(stderr, "cot compile: error: --target: %s\n", d.msg);
        return false;
    }
    MachSettings set = settings_for_files(o);
    linkable_init(k, mem, t->isa);
    ClifTextOptions how = {.set = o->set, .nset = o->nset, .lines = o->object.debug};
    if (o->size >= UINT32_MAX) diag_msg(&d, DIAG_LIMIT, "a text of 4 GiB or more");
    if (!d.kind && linkable_add_clif(k, &set, text, (uint32_t)o->size, &how, &d)) return true;
    if (d.pos_kind == DIAG_POS_LINE) {
        StrBuf sb;
        sb_init(&sb, mem);
        clif_text_error(&d, o->file, text, (uint32_t)o->size, &sb);
        fputs(sb_cstr(&sb), stderr);
    } else {
        report(&d, o->file);
    }
    return false;
}

int compile_object(CompileOpts *o) {
    ObjectTarget t;
    Mem mem;
    Linkable k;
    Diag d;
    VecU8 out = {0};
    diag_clear(&d);
    command_mem(&mem);
    bool ok = read_text(o, &k, &mem, &t);
    if (ok) {
        o->object.kind = o->stage == STAGE_SHARED ? OBJECT_SHARED : OBJECT_RELOCATABLE;
        o->object.source =
            o->object.debug && strcmp(o->file, "-") != 0 ? o->file : base_name(o->file);
        o->object.needed = o->needed;
        o->object.math_library = t.math_library;
        if (o->stage == STAGE_SHARED && !o->object.soname && strcmp(o->out, "-") != 0)
            o->object.soname = base_name(o->out);
        ok = object_write(t.format, &k, &o->object, &out, &d);
        if (!ok)
            report(&d, o->file);
        else if (!(ok = write_file(o->out, &out, &d)))
            report(&d, o->out);
    }
    mem_release_all(&mem);
    return ok ? 0 : 1;
}

int list_object(CompileOpts *o) {
    ObjectTarget t;
    Mem mem;
    Linkable k;
    command_mem(&mem);
    bool ok = read_text(o, &k, &mem, &t);
    if (ok) list_linkable(&k, base_name(o->file), o->object.debug, o->wanted);
    mem_release_all(&mem);
    return ok && wanted_end(o->wanted, o->file) ? 0 : 1;
}

/* verify/special.c — rules of single opcodes: before the types what needs settings or a certain callee, after them
 * immediates. All references are known to be good. */
#include "verify/verify_int.h"
#include "base/bisect.h"

static bool supports_exceptions(ClifCallConv cc) {
    switch (cc) {
    case CLIF_CC_TAIL:
    case CLIF_CC_SYSTEM_V:
    case CLIF_CC_APPLE_AARCH64:
    case CLIF_CC_WINCH:
    case CLIF_CC_PRESERVE_ALL: return true;
    case CLIF_CC_FAST:
    case CLIF_CC_WINDOWS_FASTCALL:
    case CLIF_CC_PROBESTACK: return false;
    }
    return false;
}

static bool check_callee(Check *c, const ClifInstData *d) {
    const ClifFunc *f = c->f;
    const ClifOpInfo *info = &clif_op_info[d->op];
    ClifFormat fmt = (ClifFormat)info->format;
    const ClifSig *s = clif_call_sig(f, (ClifInst){c->inst});
    if (fmt == CLIF_FMT_Call && f->funcs.p[d->b].patchable) {
        if (info->flags & CLIF_OPF_RETURN)
            return verify_fail(c, VERIFY_PATCHABLE,
                               "patchable funcref cannot be used in a return_call");
        if (!f->funcs.p[d->b].colocated)
            return verify_fail(c, VERIFY_PATCHABLE, "patchable call to non-colocated function");
        if (s->nreturns)
            return verify_fail(c, VERIFY_PATCHABLE,
                               "patchable call cannot occur to a function with return values");
    }
    if (fmt == CLIF_FMT_TryCall || fmt == CLIF_FMT_TryCallIndirect) {
        ClifCallConv cc = (ClifCallConv)f->sigs.p[f->eh_tables.p[d->c].sig.i].callconv;
        if (!supports_exceptions(cc))
            return verify_report(c, VERIFY_TRY_CONVENTION,
                                 "calling convention `%s` of callee does not support exceptions",
                                 clif_callconv_name[cc]);
    }
    return true;
}

static bool check_bitcast(Check *c, const ClifInstData *d) {
    ClifType from = clif_value_type(c->f, (ClifValue){d->a});
    ClifMemFlags m = clif_memflags(c->f, d->aux);
    unsigned order = CLIF_MEM_LITTLE | CLIF_MEM_BIG;
    if (clif_type_bits(from) != clif_type_bits(d->type) ||
        clif_type_is_dynamic(from) != clif_type_is_dynamic(d->type))
        return verify_fail(
            c, VERIFY_BITCAST,
            "The bitcast argument v%u has a type of %u bits, which doesn't match an expected type "
            "of %u bits",
            d->a, clif_type_bits(from), clif_type_bits(d->type));
    if ((m.bits & ~order) || (m.bits & order) == order || m.region != CLIF_NONE ||
        m.trap != CLIF_TRAP_HEAP_OUT_OF_BOUNDS)
        return verify_fail(
            c, VERIFY_BITCAST,
            "The bitcast instruction only accepts the `big` or `little` memory flags");
    if (clif_type_lanes(from) != clif_type_lanes(d->type) && !(m.bits & order))
        return verify_fail(
            c, VERIFY_BITCAST,
            "Byte order specifier required for bitcast instruction changing lane count");
    return true;
}

static bool check_address(Check *c, const ClifInstData *d) {
    const ClifOpSpec *s = &clif_op_spec[d->op];
    if (!c->v->ptr_type) return true;
    uint32_t n, *args = clif_args(c->f, (ClifInst){c->inst}, &n);
    for (uint32_t j = 0, k = 0; j < s->nargs; j++) {
        if (s->args[j].kind != CLIF_OPK_VALUE) continue;
        if (!strcmp(s->args[j].name, "p")) {
            unsigned got = clif_type_bits(clif_value_type(c->f, (ClifValue){args[k]}));
            if (got != clif_type_bits(c->v->ptr_type))
                return verify_report(c, VERIFY_ADDRESS,
                                     "invalid pointer width (got %u, expected %u) encountered v%u",
                                     got, clif_type_bits(c->v->ptr_type), args[k]);
        }
        k++;
    }
    return true;
}

static bool check_handler(Check *c, const ClifInstData *d) {
    const ClifFunc *f = c->f;
    int64_t index = (int64_t)clif_imm64(d);
    if (index < 0)
        return verify_fail(c, VERIFY_HANDLER, "exception handler index %lld cannot be negative",
                           (long long)index);
    uint32_t last = f->blocks.p[d->a].last;
    if (last == CLIF_NONE)
        return verify_fail(c, VERIFY_HANDLER, "referenced block block%u does not have a terminator",
                           d->a);
    const ClifInstData *t = &f->insts.p[last];
    ClifFormat fmt = (ClifFormat)clif_op_info[t->op].format;
    if (fmt != CLIF_FMT_TryCall && fmt != CLIF_FMT_TryCallIndirect)
        return verify_fail(c, VERIFY_HANDLER, "referenced block block%u does not end in a try_call",
                           d->a);
    if (index >= f->eh_tables.p[t->c].ncalls - 1)
        return verify_fail(c, VERIFY_HANDLER, "exception handler index %lld is out-of-range",
                           (long long)index);
    return true;
}

static bool check_const_size(Check *c, const ClifInstData *d) {
    uint32_t want = d->op == CLIF_OP_F128CONST ? 16 : clif_type_bytes(d->type),
             got = c->f->consts.p[d->a].n;
    if (got == want) return true;
    return verify_fail(c, VERIFY_CONST_SIZE,
                       "The instruction expects const%u to have a size of %u bytes but it has %u",
                       d->a, want, got);
}

static bool check_settings(Check *c, ClifOp op) {
    if (c->v->no_pinned_reg && (op == CLIF_OP_GET_PINNED_REG || op == CLIF_OP_SET_PINNED_REG))
        return verify_fail(c, VERIFY_PINNED_REG, "the setting enable_pinned_reg is off");
    if (c->v->no_frame_pointers &&
        (op == CLIF_OP_GET_FRAME_POINTER || op == CLIF_OP_GET_RETURN_ADDRESS))
        return verify_fail(c, VERIFY_FRAME_POINTER, "the setting preserve_frame_pointers is off");
    return true;
}

static bool check_shuffle(Check *c, const ClifInstData *d) {
    ClifRange r = c->f->imm128s.p[d->c];
    if (r.n != 16)
        return verify_fail(c, VERIFY_SHUFFLE, "the shuffle immediate wasn't 16-bytes long");
    for (uint32_t k = 0; k < 16; k++) {
        uint8_t x = c->f->bytes.p[r.first + k];
        if (x >= 32)
            return verify_fail(c, VERIFY_SHUFFLE,
                               "shuffle immediate index %u is larger than the maximum 31", x);
    }
    return true;
}

static bool check_immediates(Check *c, const ClifInstData *d, ClifFormat fmt) {
    char b[16];
    if (fmt == CLIF_FMT_Store && (clif_memflags(c->f, d->aux).bits & CLIF_MEM_READONLY))
        return verify_fail(c, VERIFY_STORE_READONLY,
                           "A store instruction cannot have the `readonly` MemFlag");
    if (d->op == CLIF_OP_INSERTLANE || d->op == CLIF_OP_EXTRACTLANE) {
        ClifType t = clif_value_type(c->f, (ClifValue){d->a});
        if ((d->aux & 255u) >= clif_type_lanes(t))
            return verify_fail(c, VERIFY_LANE, "The lane %u does not index into the type %s",
                               d->aux & 255u, clif_type_name(t, b));
    }
    if (fmt == CLIF_FMT_Shuffle) return check_shuffle(c, d);
    if (d->op == CLIF_OP_ICONST) {
        unsigned bits = clif_type_bits(d->type);
        if (bits < 64 && clif_imm64(d) >> bits)
            return verify_fail(c, VERIFY_ICONST, "constant immediate is out of bounds");
    }
    return true;
}

static bool check_debug_tags(Check *c, ClifOp op) {
    const ClifFunc *f = c->f;
    if (clif_op_is(op, CLIF_OPF_CALL) || op == CLIF_OP_SEQUENCE_POINT) return true;
    uint32_t lo;
    bisect(lo, f->debug_tags.n, f->debug_tags.p[lo].inst < c->inst);
    if (lo == f->debug_tags.n || f->debug_tags.p[lo].inst != c->inst) return true;
    return verify_fail(c, VERIFY_DEBUG_TAGS,
                       "debug tags present on non-call, non-sequence point instruction");
}

bool verify_inst_special(Check *c) {
    const ClifInstData *d = &c->f->insts.p[c->inst];
    ClifFormat fmt = (ClifFormat)clif_op_info[d->op].format;
    if (clif_op_is((ClifOp)d->op, CLIF_OPF_CALL) && d->op != CLIF_OP_STACK_SWITCH &&
        !check_callee(c, d))
        return false;
    if (!check_settings(c, (ClifOp)d->op)) return false;
    if (d->op == CLIF_OP_BITCAST && !check_bitcast(c, d)) return false;
    if (clif_op_is((ClifOp)d->op, CLIF_OPF_CAN_LOAD | CLIF_OPF_CAN_STORE) && !check_address(c, d))
        return false;
    if (fmt == CLIF_FMT_UnaryConst && !check_const_size(c, d)) return false;
    if (fmt == CLIF_FMT_ExceptionHandlerAddress && !check_handler(c, d)) return false;
    return true;
}

bool verify_inst_immediates(Check *c) {
    const ClifInstData *d = &c->f->insts.p[c->inst];
    if (!check_immediates(c, d, (ClifFormat)clif_op_info[d->op].format)) return false;
    return !c->f->debug_tags.n || check_debug_tags(c, (ClifOp)d->op);
}

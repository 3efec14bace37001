/* clif/print.c — a function as .clif text.
 *
 * The operands of an instruction are printed by the pattern of its format (formats.def), one letter each, so
 * a new opcode needs no code here. The type suffix is written when the row says it is explicit, and also when
 * the controlling argument is defined in another block, so that a reader never has to look back across blocks.
 * Comments after an instruction show the constants among its arguments. Cost: linear in the text. */
#include "base/bitset.h"
#include "clif/opspec.h"
#include "clif/text.h"

typedef struct Printer {
    const ClifFunc *f;
    StrBuf *out;
    uint32_t indent;
    BitSet done;                           /* instructions already printed */
    VecU32 first_alias, next_alias, stack; /* per value; empty when the function has no aliases */
} Printer;

static void put_type(StrBuf *o, ClifType t) {
    char buf[16];
    sb_puts(o, clif_type_name(t, buf));
}
static void put_ref(StrBuf *o, const char *prefix, uint32_t i) {
    sb_puts(o, prefix);
    sb_u64(o, i);
}
static void put_values(StrBuf *o, const uint32_t *v, uint32_t n) {
    for (uint32_t k = 0; k < n; k++) put_ref(o, k ? ", v" : "v", v[k]);
}

/* ---- numbers ---- */
/* Groups of four hexadecimal digits: 0x0001_e240. */
static void put_hex_groups(StrBuf *o, uint64_t x) {
    int pos = (63 - (x ? __builtin_clzll(x) : 63)) & 0xF0;
    sb_printf(o, "0x%04x", (unsigned)(x >> pos & 0xFFFF));
    while (pos > 0) {
        pos -= 16;
        sb_printf(o, "_%04x", (unsigned)(x >> pos & 0xFFFF));
    }
}

static void put_imm64(StrBuf *o, int64_t x) {
    if (x < 10000)
        sb_printf(o, "%lld", (long long)x);
    else
        put_hex_groups(o, (uint64_t)x);
}

static void put_offset(StrBuf *o, int32_t x) {
    if (x == 0) return;
    uint64_t abs = x < 0 ? (uint64_t) - (int64_t)x : (uint64_t)x;
    sb_putc(o, x < 0 ? '-' : '+');
    if (abs < 10000)
        sb_u64(o, abs);
    else
        put_hex_groups(o, abs);
}

static void put_bytes_hex(StrBuf *o, const ClifFunc *f, ClifRange r) {
    if (!r.n) return;
    sb_puts(o, "0x");
    for (uint32_t k = r.n; k > 0; k--) sb_printf(o, "%02x", f->bytes.p[r.first + k - 1]);
}

static int64_t iconst_value(const ClifInstData *d) {
    unsigned bits = clif_type_bits(d->type);
    uint64_t x = clif_imm64(d);
    if (bits >= 64 || bits < 8) return (int64_t)x;
    return (int64_t)(x << (64 - bits)) >> (64 - bits);
}

/* ---- entities ---- */
void clif_print_name(const ClifFunc *f, ClifName n, StrBuf *out) {
    switch ((ClifNameKind)n.kind) {
    case CLIF_NAME_USER: sb_printf(out, "u%u:%u", n.a, n.b); break;
    case CLIF_NAME_TESTCASE:
        sb_putc(out, '%');
        if (n.b) sb_putn(out, (const char *)f->bytes.p + n.a, n.b);
        break;
    case CLIF_NAME_LIBCALL:
        sb_putc(out, '%');
        sb_puts(out, clif_libcall_name[n.a]);
        break;
    case CLIF_NAME_KNOWN:
        sb_putc(out, '%');
        sb_puts(out, clif_known_symbol_name[n.a]);
        break;
    case CLIF_NAME_USER_REF: sb_printf(out, "userextname%u", n.a); break;
    }
}

static void put_memflags(StrBuf *o, ClifMemFlags m) {
    char buf[16];
    if (m.trap == CLIF_TRAP_NONE)
        sb_puts(o, " notrap");
    else if (m.trap != CLIF_TRAP_HEAP_OUT_OF_BOUNDS)
        sb_putc(o, ' '), sb_puts(o, clif_trap_name(m.trap, buf));
    if (m.bits & CLIF_MEM_ALIGNED) sb_puts(o, " aligned");
    if (m.bits & CLIF_MEM_READONLY) sb_puts(o, " readonly");
    if (m.bits & CLIF_MEM_CAN_MOVE) sb_puts(o, " can_move");
    if (m.bits & CLIF_MEM_BIG) sb_puts(o, " big");
    if (m.bits & CLIF_MEM_LITTLE) sb_puts(o, " little");
    if (m.region != CLIF_NONE) put_ref(o, " region", m.region);
}

static void put_abi_params(StrBuf *o, const ClifFunc *f, uint32_t first, uint32_t n) {
    for (uint32_t k = 0; k < n; k++) {
        ClifAbiParam p = f->abi_params.p[first + k];
        if (k) sb_puts(o, ", ");
        put_type(o, p.type);
        if (p.ext) sb_puts(o, p.ext == CLIF_EXT_UEXT ? " uext" : " sext");
        switch ((ClifArgPurpose)p.purpose) {
        case CLIF_ARG_NORMAL: break;
        case CLIF_ARG_STRUCT_ARG: sb_printf(o, " sarg(%u)", p.struct_size); break;
        case CLIF_ARG_STRUCT_RETURN: sb_puts(o, " sret"); break;
        case CLIF_ARG_VMCTX: sb_puts(o, " vmctx"); break;
        }
    }
}

static void put_sig(StrBuf *o, const ClifFunc *f, const ClifSig *s) {
    sb_putc(o, '(');
    put_abi_params(o, f, s->params, s->nparams);
    sb_putc(o, ')');
    if (s->nreturns) {
        sb_puts(o, " -> ");
        put_abi_params(o, f, s->returns, s->nreturns);
    }
    sb_putc(o, ' ');
    sb_puts(o, clif_callconv_name[s->callconv]);
}

static void put_call(StrBuf *o, const ClifFunc *f, ListRef call) {
    uint32_t n, *a = clif_call_args(f, call, &n);
    put_ref(o, "block", clif_call_block(f, call).i);
    if (!n) return;
    for (uint32_t k = 0; k < n; k++) {
        const char *p = a[k] & CLIF_BLOCKARG_TRY_RET   ? "ret"
                        : a[k] & CLIF_BLOCKARG_TRY_EXN ? "exn"
                                                       : "v";
        sb_puts(o, k ? ", " : "(");
        put_ref(o, p, a[k] & ~CLIF_BLOCKARG_MASK);
    }
    sb_putc(o, ')');
}

static void put_jump_table(StrBuf *o, const ClifFunc *f, ClifJumpTableData t) {
    for (uint32_t k = 0; k < t.n; k++) {
        put_call(o, f, f->jt_calls.p[t.first + k]);
        if (k == 0)
            sb_puts(o, ", [");
        else if (k + 1 < t.n)
            sb_puts(o, ", ");
    }
    sb_putc(o, ']');
}

static void put_eh_table(StrBuf *o, const ClifFunc *f, const ClifEhTableData *t) {
    put_ref(o, "sig", t->sig.i);
    sb_puts(o, ", ");
    put_call(o, f, f->jt_calls.p[t->calls]);
    sb_puts(o, ", [");
    for (uint32_t k = 0; k < t->n; k++) {
        const ClifEhItem *it = &f->eh_items.p[t->first + k];
        sb_puts(o, k ? ", " : " ");
        switch ((ClifEhItemKind)it->kind) {
        case CLIF_EH_TAG: sb_printf(o, "tag%u: ", it->tag); break;
        case CLIF_EH_DEFAULT: sb_puts(o, "default: "); break;
        case CLIF_EH_CONTEXT: put_ref(o, "context v", it->context.i); continue;
        }
        put_call(o, f, f->jt_calls.p[it->call]);
    }
    sb_puts(o, t->n ? " ]" : "]");
}

static void put_gv(StrBuf *o, const ClifFunc *f, const ClifGlobalValueData *g) {
    switch ((ClifGvKind)g->kind) {
    case CLIF_GV_VMCTX: sb_puts(o, "vmctx"); break;
    case CLIF_GV_LOAD:
        sb_puts(o, "load.");
        put_type(o, g->type);
        put_memflags(o, clif_memflags(f, g->memflags));
        put_ref(o, " gv", g->base);
        put_offset(o, (int32_t)g->offset);
        break;
    case CLIF_GV_IADD_IMM:
        sb_puts(o, "iadd_imm.");
        put_type(o, g->type);
        put_ref(o, " gv", g->base);
        sb_puts(o, ", ");
        put_imm64(o, g->offset);
        break;
    case CLIF_GV_SYMBOL:
        sb_puts(o, "symbol ");
        if (g->colocated) sb_puts(o, "colocated ");
        if (g->tls) sb_puts(o, "tls ");
        clif_print_name(f, g->name, o);
        if (g->offset > 0) sb_putc(o, '+');
        if (g->offset != 0) put_imm64(o, g->offset);
        break;
    case CLIF_GV_DYN_SCALE:
        sb_puts(o, "dyn_scale_target_const.");
        put_type(o, g->vector_type);
        break;
    }
}

/* Returns whether anything was printed. */
static bool put_preamble(StrBuf *o, const ClifFunc *f) {
    uint32_t before = o->n;
    for (uint32_t k = 0; k < f->dyn_slots.n; k++)
        sb_printf(o, "    dss%u = explicit_dynamic_slot dt%u\n", k, f->dyn_slots.p[k].dyn_type);
    for (uint32_t k = 0; k < f->slots.n; k++) {
        const ClifStackSlotData *s = &f->slots.p[k];
        sb_printf(o, "    ss%u = %s %u", k, s->kind ? "explicit_dynamic_slot" : "explicit_slot",
                  s->size);
        if (s->align_log2) sb_printf(o, ", align = %u", 1u << s->align_log2);
        if (s->has_key) sb_printf(o, ", key = %llu", (unsigned long long)s->key);
        sb_putc(o, '\n');
    }
    for (uint32_t k = 0; k < f->regions.n; k++) {
        ClifAliasRegion r = f->regions.p[k];
        sb_printf(o, "    region%u = %u \"", k, r.user_id);
        if (r.desc.n) sb_putn(o, (const char *)f->bytes.p + r.desc.first, r.desc.n);
        sb_puts(o, "\"\n");
    }
    for (uint32_t k = 0; k < f->gvs.n; k++) {
        sb_printf(o, "    gv%u = ", k);
        put_gv(o, f, &f->gvs.p[k]);
        sb_putc(o, '\n');
    }
    for (uint32_t k = 0; k < f->dyn_types.n; k++) {
        sb_printf(o, "    dt%u = ", k);
        put_type(o, f->dyn_types.p[k].base_vector);
        sb_printf(o, "*gv%u\n", f->dyn_types.p[k].scale_gv);
    }
    for (uint32_t k = 0; k < f->sigs.n; k++) {
        sb_printf(o, "    sig%u = ", k);
        put_sig(o, f, &f->sigs.p[k]);
        sb_putc(o, '\n');
    }
    for (uint32_t k = 0; k < f->funcs.n; k++) {
        const ClifExtFunc *e = &f->funcs.p[k];
        if (e->sig.i == CLIF_NONE) continue; /* a number that text skipped */
        sb_printf(o, "    fn%u = %s%s", k, e->colocated ? "colocated " : "",
                  e->patchable ? "patchable " : "");
        clif_print_name(f, e->name, o);
        sb_printf(o, " sig%u\n", e->sig.i);
    }
    for (uint32_t k = 0; k < f->consts.n; k++) {
        if (f->consts.p[k].first == CLIF_NONE) continue;
        sb_printf(o, "    const%u = ", k);
        put_bytes_hex(o, f, f->consts.p[k]);
        sb_putc(o, '\n');
    }
    if (f->stack_limit != CLIF_NONE) sb_printf(o, "    stack_limit = gv%u\n", f->stack_limit);
    return o->n != before;
}

/* ---- instructions ---- */
/* First element of a list sorted by instruction that belongs to instruction i or a later one. */
#define LOWER_BOUND(vec, i, at)                \
    for (uint32_t lo_ = 0, hi_ = (vec)->n;;) { \
        if (lo_ >= hi_) {                      \
            (at) = lo_;                        \
            break;                             \
        }                                      \
        uint32_t mid_ = lo_ + (hi_ - lo_) / 2; \
        if ((vec)->p[mid_].inst < (i))         \
            lo_ = mid_ + 1;                    \
        else                                   \
            hi_ = mid_;                        \
    }

static void put_stack_map(StrBuf *o, const ClifFunc *f, uint32_t i) {
    uint32_t k;
    LOWER_BOUND(&f->stack_maps, i, k);
    bool any = false;
    for (; k < f->stack_maps.n && f->stack_maps.p[k].inst == i; k++) {
        ClifStackMapEntry e = f->stack_maps.p[k];
        sb_puts(o, any ? ", " : ", stack_map=[");
        put_type(o, (ClifType)e.type);
        sb_printf(o, " @ ss%u+%u", e.slot, e.offset);
        any = true;
    }
    if (any) sb_putc(o, ']');
}

static void put_debug_tags(StrBuf *o, const ClifFunc *f, uint32_t i) {
    uint32_t k;
    LOWER_BOUND(&f->debug_tags, i, k);
    bool any = false;
    for (; k < f->debug_tags.n && f->debug_tags.p[k].inst == i; k++) {
        sb_puts(o, any ? ", " : "<");
        put_ref(o, f->debug_tags.p[k].is_slot ? "ss" : "", f->debug_tags.p[k].value);
        any = true;
    }
    if (any) sb_puts(o, "> ");
}

static void put_operands(StrBuf *o, const ClifFunc *f, uint32_t i) {
    const ClifInstData *d = &f->insts.p[i];
    uint32_t n, *args = clif_args(f, (ClifInst){i}, &n);
    char buf[16];
    for (const char *p = clif_format_info[clif_op_info[d->op].format].pattern; *p; p++) {
        switch (*p) {
        case 'a': put_ref(o, "v", d->a); break;
        case 'b': put_ref(o, "v", d->b); break;
        case 'c': put_ref(o, "v", d->c); break;
        case 'A': put_values(o, args, n); break;
        case 'V':
            if (n) sb_putc(o, ' ');
            put_values(o, args, n);
            break;
        case 'C':
            put_values(o, args, 1);
            sb_putc(o, '(');
            put_values(o, args + 1, n - 1);
            sb_putc(o, ')');
            break;
        case 'F': put_memflags(o, clif_memflags(f, d->aux)); break;
        case 'i':
            put_imm64(o, d->op == CLIF_OP_ICONST ? iconst_value(d) : (int64_t)clif_imm64(d));
            break;
        case 'h': clif_print_float(o, 16, d->b, 0); break;
        case 's': clif_print_float(o, 32, d->b, 0); break;
        case 'd': clif_print_float(o, 64, clif_imm64(d), 0); break;
        case '8': sb_u64(o, d->aux & 255); break;
        case 't': sb_puts(o, clif_trap_name((ClifTrap)d->aux, buf)); break;
        case 'o': put_offset(o, (int32_t)d->b); break;
        case 'O': put_offset(o, (int32_t)d->c); break;
        case 'I': sb_puts(o, clif_intcc_name[d->aux]); break;
        case 'L': sb_puts(o, clif_floatcc_name[d->aux]); break;
        case 'R': sb_puts(o, clif_rmw_name[d->c]); break;
        case 'M': put_bytes_hex(o, f, f->imm128s.p[d->c]); break;
        case 'J': put_call(o, f, d->a); break;
        case 'T': put_call(o, f, d->b); break;
        case 'E': put_call(o, f, d->c); break;
        case 'B': put_jump_table(o, f, f->jts.p[d->b]); break;
        case 'X': put_eh_table(o, f, &f->eh_tables.p[d->c]); break;
        case 'K': put_ref(o, "const", d->a); break;
        case 'G': put_ref(o, "gv", d->a); break;
        case 'p': put_ref(o, "ss", d->a); break;
        case 'D': put_ref(o, "dss", d->a); break;
        case 'n': put_ref(o, "fn", d->b); break;
        case 'N': put_ref(o, "fn", d->a); break;
        case 'S': put_ref(o, "sig", d->b); break;
        case 'k': put_ref(o, "block", d->a); break;
        default: sb_putc(o, *p); break; /* verbatim */
        }
    }
    if (f->stack_maps.n && clif_op_is((ClifOp)d->op, CLIF_OPF_CALL)) put_stack_map(o, f, i);
}

/* `v3 = 42` for each argument that is a constant. */
static bool put_const_comment(StrBuf *o, const ClifFunc *f, uint32_t v, const char *sep) {
    if (v >= f->values.n) return false;
    ClifValue r = clif_resolve(f, (ClifValue){v});
    ClifValueData vd = f->values.p[r.i];
    if (vd.kind != CLIF_VAL_INST) return false;
    const ClifInstData *d = &f->insts.p[vd.ref];
    ClifFormat fmt = (ClifFormat)clif_op_info[d->op].format;
    if (fmt != CLIF_FMT_UnaryImm && fmt != CLIF_FMT_UnaryIeee16 && fmt != CLIF_FMT_UnaryIeee32 &&
        fmt != CLIF_FMT_UnaryIeee64 && fmt != CLIF_FMT_UnaryConst)
        return false;
    sb_printf(o, "%sv%u = ", sep, v);
    if (fmt == CLIF_FMT_UnaryImm)
        put_imm64(o, iconst_value(d));
    else if (fmt == CLIF_FMT_UnaryIeee16)
        clif_print_float(o, 16, d->b, 0);
    else if (fmt == CLIF_FMT_UnaryIeee32)
        clif_print_float(o, 32, d->b, 0);
    else if (fmt == CLIF_FMT_UnaryIeee64)
        clif_print_float(o, 64, clif_imm64(d), 0);
    else if (d->op == CLIF_OP_F128CONST && f->consts.p[d->a].n == 16) {
        uint64_t w[2] = {0, 0};
        for (int k = 0; k < 16; k++)
            w[k / 8] |= (uint64_t)f->bytes.p[f->consts.p[d->a].first + (uint32_t)k]
                        << (8 * (k % 8));
        clif_print_float(o, 128, w[0], w[1]);
    } else
        put_ref(o, "const", d->a);
    return true;
}

static void put_comments(StrBuf *o, const ClifFunc *f, uint32_t i) {
    uint32_t n, *args = clif_args(f, (ClifInst){i}, &n);
    const char *sep = "  ; ";
    for (uint32_t k = 0; k < n; k++)
        if (put_const_comment(o, f, args[k], sep)) sep = ", ";
    if (!clif_op_is((ClifOp)f->insts.p[i].op, CLIF_OPF_BRANCH)) return;
    const ListRef *calls;
    ListRef tmp[2];
    uint32_t nc = clif_branch_calls(f, (ClifInst){i}, &calls, tmp);
    for (uint32_t c = 0; c < nc; c++) {
        uint32_t na, *a = clif_call_args(f, calls[c], &na);
        for (uint32_t k = 0; k < na; k++)
            if (!(a[k] & CLIF_BLOCKARG_MASK) && put_const_comment(o, f, a[k], sep)) sep = ", ";
    }
    ClifFormat fmt = (ClifFormat)clif_op_info[f->insts.p[i].op].format;
    if (fmt != CLIF_FMT_TryCall && fmt != CLIF_FMT_TryCallIndirect) return;
    const ClifEhTableData *t = &f->eh_tables.p[f->insts.p[i].c];
    for (uint32_t k = 0; k < t->n; k++) {
        const ClifEhItem *it = &f->eh_items.p[t->first + k];
        if (it->kind == CLIF_EH_CONTEXT && put_const_comment(o, f, it->context.i, sep)) sep = ", ";
    }
}

/* `done` (may be NULL): instructions already printed. A value whose definition comes later in the same block, which only
 * an invalid function has, gives a reader no type. */
static bool needs_suffix(const ClifFunc *f, uint32_t i, const BitSet *done) {
    const ClifInstData *d = &f->insts.p[i];
    const ClifOpInfo *info = &clif_op_info[d->op];
    if (info->explicit_ctrl) return true;
    if (info->ctrl_operand == 255) return false;
    uint32_t v = clif_resolve(f, clif_arg(f, (ClifInst){i}, info->ctrl_operand)).i;
    ClifValueData vd = f->values.p[v];
    uint32_t blk = vd.kind == CLIF_VAL_INST    ? f->links.p[vd.ref].block
                   : vd.kind == CLIF_VAL_PARAM ? vd.ref
                                               : CLIF_NONE;
    if (vd.type != d->type) return true; /* invalid: the type would not be inferred */
    if (done && vd.kind == CLIF_VAL_INST && vd.ref < f->insts.n && !bitset_has(done, vd.ref))
        return true;
    return blk == CLIF_NONE || blk != f->links.p[i].block;
}

static void put_inst(const ClifFunc *f, ClifInst i, const BitSet *done, StrBuf *out) {
    const ClifInstData *d = &f->insts.p[i.i];
    uint32_t n, *r = clif_results(f, i, &n);
    put_values(out, r, n);
    if (n) sb_puts(out, " = ");
    sb_puts(out, clif_op_info[d->op].name);
    if (needs_suffix(f, i.i, done)) {
        sb_putc(out, '.');
        put_type(out, d->type);
    }
    put_operands(out, f, i.i);
    put_comments(out, f, i.i);
}

void clif_print_inst(const ClifFunc *f, ClifInst i, StrBuf *out) {
    put_inst(f, i, NULL, out);
}

/* ---- functions ---- */
static void collect_aliases(Printer *p) {
    const ClifFunc *f = p->f;
    bool any = false;
    for (uint32_t v = 0; v < f->values.n && !any; v++) any = f->values.p[v].kind == CLIF_VAL_ALIAS;
    if (!any) return;
    Mem *m = p->out->mem;
    (void)vec_extend(m, &p->first_alias, f->values.n);
    (void)vec_extend(m, &p->next_alias, f->values.n);
    memset(p->first_alias.p, 0xFF, (size_t)f->values.n * sizeof(uint32_t));
    for (uint32_t v = f->values.n; v-- > 0;) {
        if (f->values.p[v].kind != CLIF_VAL_ALIAS) continue;
        uint32_t to = f->values.p[v].ref;
        p->next_alias.p[v] = p->first_alias.p[to];
        p->first_alias.p[to] = v;
    }
}

static void spaces(StrBuf *o, uint32_t n) {
    while (n--) sb_putc(o, ' ');
}

static void put_aliases(Printer *p, uint32_t v) {
    if (!p->first_alias.n) return;
    vec_push(p->out->mem, &p->stack, v);
    while (p->stack.n) {
        uint32_t to = vec_pop(&p->stack);
        for (uint32_t a = p->first_alias.p[to]; a != CLIF_NONE; a = p->next_alias.p[a]) {
            spaces(p->out, p->indent);
            sb_printf(p->out, "v%u -> v%u\n", a, to);
            vec_push(p->out->mem, &p->stack, a);
        }
    }
}

void clif_print_block_header(const ClifFunc *f, ClifBlock b, uint32_t indent, StrBuf *o) {
    spaces(o, indent);
    put_ref(o, "block", b.i);
    uint32_t n, *params = clif_block_params(f, b, &n);
    for (uint32_t k = 0; k < n; k++) {
        put_ref(o, k ? ", v" : "(v", params[k]);
        sb_puts(o, ": ");
        put_type(o, clif_value_type(f, (ClifValue){params[k]}));
    }
    if (n) sb_putc(o, ')');
    sb_puts(o, f->blocks.p[b.i].flags & CLIF_BLOCK_COLD ? " cold:\n" : ":\n");
}

static void put_block(Printer *p, uint32_t b) {
    const ClifFunc *f = p->f;
    StrBuf *o = p->out;
    clif_print_block_header(f, (ClifBlock){b}, p->indent - 4, o);
    uint32_t n, *params = clif_block_params(f, (ClifBlock){b}, &n);
    for (uint32_t k = 0; k < n; k++) put_aliases(p, params[k]);
    CLIF_FOR_INSTS(f, b, i) {
        uint32_t start = o->n;
        if (f->debug_tags.n) put_debug_tags(o, f, i);
        uint32_t tags = o->n - start, indent = p->indent;
        if (f->srclocs.p[i] != CLIF_NONE) sb_printf(o, "@%04x ", f->srclocs.p[i]);
        while (o->n - start < p->indent) sb_putc(o, ' ');
        put_inst(f, (ClifInst){i}, &p->done, o);
        bitset_add(&p->done, i);
        sb_putc(o, '\n');
        p->indent = tags < indent ? indent - tags : 0; /* aliases are not moved right by the tags */
        uint32_t nr, *r = clif_results(f, (ClifInst){i}, &nr);
        for (uint32_t k = 0; k < nr; k++) put_aliases(p, r[k]);
        p->indent = indent;
    }
}

void clif_print_entity(ClifEntity e, StrBuf *out) {
    static const char *const prefix[CLIF_ENTITY_KIND_COUNT] = {
        [CLIF_ENTITY_FUNCTION] = "function",
        [CLIF_ENTITY_BLOCK] = "block",
        [CLIF_ENTITY_INST] = "inst",
        [CLIF_ENTITY_VALUE] = "v",
        [CLIF_ENTITY_STACK_SLOT] = "ss",
        [CLIF_ENTITY_DYN_SLOT] = "dss",
        [CLIF_ENTITY_DYN_TYPE] = "dt",
        [CLIF_ENTITY_GLOBAL_VALUE] = "gv",
        [CLIF_ENTITY_SIG] = "sig",
        [CLIF_ENTITY_FUNC] = "fn",
        [CLIF_ENTITY_CONST] = "const",
        [CLIF_ENTITY_REGION] = "region",
        [CLIF_ENTITY_STACK_LIMIT] = "stack_limit",
    };
    if (e.kind == CLIF_ENTITY_FUNCTION || e.kind == CLIF_ENTITY_STACK_LIMIT)
        sb_puts(out, prefix[e.kind]);
    else
        put_ref(out, prefix[e.kind], e.index);
}

void clif_print_func(const ClifFunc *f, StrBuf *out) {
    Printer p = {.f = f, .out = out, .indent = f->debug_tags.n ? 36 : 4};
    for (uint32_t i = 0; i < f->srclocs.n; i++)
        if (f->srclocs.p[i] != CLIF_NONE) p.indent = 36;
    collect_aliases(&p);
    bitset_resize0(out->mem, &p.done, f->insts.n);
    sb_puts(out, "function ");
    clif_print_name(f, f->name, out);
    put_sig(out, f, &f->sig);
    sb_puts(out, " {\n");
    bool any = put_preamble(out, f);
    CLIF_FOR_BLOCKS(f, b) {
        if (any) sb_putc(out, '\n');
        put_block(&p, b);
        any = true;
    }
    sb_puts(out, "}\n");
    vec_free(out->mem, &p.done);
    vec_free(out->mem, &p.first_alias);
    vec_free(out->mem, &p.next_alias);
    vec_free(out->mem, &p.stack);
}

/* clif/builder.c — appends instructions to the current block and keeps SSA construction informed of edges.
 *
 * Invariants  1. An instruction's `type` is its controlling type: given by the caller when it is explicit,
 *                else that of the row's controlling argument.
 *             2. Every branch registers its edges when it is appended, so predecessors of an unsealed block
 *                are those seen so far.
 * Cost        a plain instruction is four array appends and one list link. */
#include "clif/builder.h"
#include "clif/ssa.h"

void clif_builder_init(ClifBuilder *b, Mem *m) {
    *b = (ClifBuilder){.mem = m, .cur = {CLIF_NONE}, .srcloc = CLIF_NONE};
    b->ssa = mem_alloc(m, sizeof *b->ssa);
    memset(b->ssa, 0, sizeof *b->ssa);
}

void clif_builder_free(ClifBuilder *b) {
    ssa_free(b->mem, b->ssa);
    mem_free(b->mem, b->ssa, sizeof *b->ssa);
    b->ssa = NULL;
    vec_free(b->mem, &b->args);
}

void clif_builder_begin(ClifBuilder *b, ClifFunc *f) {
    b->f = f;
    b->cur.i = CLIF_NONE;
    b->srcloc = CLIF_NONE;
    ssa_clear(b->ssa);
    for (uint32_t k = 0; k < f->blocks.n; k++) ssa_add_block(b->mem, b->ssa);
}

static bool ends_in_terminator(const ClifFunc *f, uint32_t blk) {
    uint32_t last = f->blocks.p[blk].last;
    return last != CLIF_NONE && clif_op_is((ClifOp)f->insts.p[last].op, CLIF_OPF_TERMINATOR);
}

void clif_builder_end(ClifBuilder *b) {
    for (uint32_t k = 0; k < b->ssa->blocks.n; k++) {
        if (!b->ssa->blocks.p[k].sealed) COT_BUG("block%u is not sealed", k);
        if ((b->f->blocks.p[k].flags & CLIF_BLOCK_INSERTED) && !ends_in_terminator(b->f, k))
            COT_BUG("block%u does not end in a terminator", k);
        if (b->ssa->blocks.p[k].npreds && !(b->f->blocks.p[k].flags & CLIF_BLOCK_INSERTED))
            COT_BUG("block%u is branched to but was never filled", k);
    }
    b->f = NULL;
    b->cur.i = CLIF_NONE;
}

/* ---- blocks ---- */
ClifBlock cb_create_block(ClifBuilder *b) {
    ssa_add_block(b->mem, b->ssa);
    return clif_make_block(b->f);
}

void cb_switch_to(ClifBuilder *b, ClifBlock blk) {
    b->cur = blk;
    if (!(b->f->blocks.p[blk.i].flags & CLIF_BLOCK_INSERTED)) clif_append_block(b->f, blk);
    ssa_begin_block(b->mem, b->ssa, blk.i);
}

void cb_seal(ClifBuilder *b, ClifBlock blk) {
    ssa_seal(b->f, b->ssa, blk.i);
}
void cb_seal_all(ClifBuilder *b) {
    for (uint32_t k = 0; k < b->ssa->blocks.n; k++) ssa_seal(b->f, b->ssa, k);
}
void cb_set_cold(ClifBuilder *b, ClifBlock blk) {
    b->f->blocks.p[blk.i].flags |= CLIF_BLOCK_COLD;
}
ClifValue cb_block_param(ClifBuilder *b, ClifBlock blk, ClifType t) {
    return clif_append_block_param(b->f, blk, t);
}
void cb_entry_params(ClifBuilder *b, ClifBlock blk) {
    for (uint32_t k = 0; k < b->f->sig.nparams; k++)
        clif_append_block_param(b->f, blk, b->f->abi_params.p[b->f->sig.params + k].type);
}

/* ---- variables ---- */
ClifVar cb_declare_var(ClifBuilder *b, ClifType t) {
    vec_push(b->mem, &b->ssa->vars, (SsaVar){CLIF_NONE, CLIF_NONE, 0, t});
    return (ClifVar){b->ssa->vars.n - 1};
}

void cb_def_var(ClifBuilder *b, ClifVar v, ClifValue x) {
    COT_DASSERT(b->f->values.p[x.i].type == b->ssa->vars.p[v.i].type);
    uint32_t head = b->ssa->vars.p[v.i].head;
    if (head != CLIF_NONE && b->ssa->defs.p[head].block == b->cur.i)
        b->ssa->defs.p[head].value = x.i;
    else
        ssa_def(b->mem, b->ssa, b->cur.i, v.i, x.i);
}

ClifValue cb_use_var(ClifBuilder *b, ClifVar v) {
    uint32_t head = b->ssa->vars.p[v.i].head;
    if (head != CLIF_NONE && b->ssa->defs.p[head].block == b->cur.i)
        return clif_resolve(b->f, (ClifValue){b->ssa->defs.p[head].value});
    if (b->ssa->vars.p[v.i].read_block == b->cur.i)
        return clif_resolve(b->f, (ClifValue){b->ssa->vars.p[v.i].read_value});
    return (ClifValue){ssa_use_slow(b->f, b->ssa, b->cur.i, v.i)};
}

/* ---- instructions ---- */
static inline ClifInst append(ClifBuilder *b, ClifInstData d, uint32_t result) {
    ClifFunc *f = b->f;
    uint32_t blk = b->cur.i;
    COT_DASSERT(blk != CLIF_NONE && !ends_in_terminator(f, blk));
    ClifBlockData *bd = &f->blocks.p[blk];
    uint32_t prev = bd->last;
    uint32_t i = clif_new_inst(f, d, result, (ClifInstLink){prev, CLIF_NONE, blk}, b->srcloc);
    *(prev == CLIF_NONE ? &bd->first : &f->links.p[prev].next) = i;
    bd->last = i;
    return (ClifInst){i};
}

static ClifType infer_ctrl(const ClifBuilder *b, const ClifInstData *d) {
    const ClifOpInfo *info = &clif_op_info[d->op];
    uint8_t k = info->ctrl_operand;
    if (k == 255) return CLIF_INVALID;
    uint32_t v = info->has_list ? list_data(&b->f->lists, d->a)[k] : (&d->a)[k];
    return clif_value_type(b->f, (ClifValue){v});
}

static void add_edges(ClifBuilder *b, ClifInst i) {
    const ListRef *calls;
    ListRef tmp[2];
    uint32_t n = clif_branch_calls(b->f, i, &calls, tmp);
    const ClifInstData *d = &b->f->insts.p[i.i];
    uint32_t slot = calls != tmp ? 3 + (uint32_t)(calls - b->f->jt_calls.p)
                    : clif_op_info[d->op].format == CLIF_FMT_Brif ? 1
                                                                  : 0;
    for (uint32_t k = 0; k < n; k++)
        ssa_add_edge(b->mem, b->ssa, b->cur.i, i.i, slot + k, clif_call_block(b->f, calls[k]).i);
}

ClifInst cb_ins(ClifBuilder *b, ClifInstData d) {
    if (d.type == CLIF_INVALID) d.type = infer_ctrl(b, &d);
    ClifInst i = append(b, d, CLIF_NONE);
    clif_make_results(b->f, i);
    if (clif_op_is((ClifOp)d.op, CLIF_OPF_BRANCH)) add_edges(b, i);
    return i;
}

ClifValue cb_ins1(ClifBuilder *b, ClifInstData d, ClifType result) {
    ClifFunc *f = b->f;
    if (d.type == CLIF_INVALID) {
        const ClifOpInfo *info = &clif_op_info[d.op];
        d.type = info->explicit_ctrl ? result : infer_ctrl(b, &d);
    }
    uint32_t v = f->values.n;
    vec_push(f->mem, &f->values,
             (ClifValueData){.kind = CLIF_VAL_INST, .type = result, .num = 0, .ref = f->insts.n});
    append(b, d, v);
    return (ClifValue){v};
}

static ClifValue ins_value(ClifBuilder *b, ClifInstData d) {
    const ClifOpInfo *info = &clif_op_info[d.op];
    if (info->result_rule == CLIF_RES_CTRL) return cb_ins1(b, d, d.type);
    if (info->result_rule == CLIF_RES_FIXED) return cb_ins1(b, d, info->fixed_type);
    ClifInst i = cb_ins(b, d);
    uint32_t n, *r = clif_results(b->f, i, &n);
    return n ? (ClifValue){r[0]} : (ClifValue){CLIF_NONE};
}

ClifValue cb_unary(ClifBuilder *b, ClifOp op, ClifType ctrl, ClifValue x) {
    ClifInstData d = {.op = (uint8_t)op, .type = ctrl, .a = x.i};
    if (!clif_op_info[op].explicit_ctrl) d.type = infer_ctrl(b, &d);
    return ins_value(b, d);
}

ClifValue cb_binary(ClifBuilder *b, ClifOp op, ClifValue x, ClifValue y) {
    ClifInstData d = {.op = (uint8_t)op, .a = x.i, .b = y.i};
    d.type = infer_ctrl(b, &d);
    return ins_value(b, d);
}

ClifValue cb_ternary(ClifBuilder *b, ClifOp op, ClifValue x, ClifValue y, ClifValue z) {
    ClifInstData d = {.op = (uint8_t)op, .a = x.i, .b = y.i, .c = z.i};
    d.type = infer_ctrl(b, &d);
    return ins_value(b, d);
}

ClifValue cb_iconst(ClifBuilder *b, ClifType t, int64_t imm) {
    unsigned bits = t == CLIF_I32 ? 32 : clif_type_bits(t);
    uint64_t x = bits >= 64 ? (uint64_t)imm : (uint64_t)imm & (((uint64_t)1 << bits) - 1);
    return cb_ins1(
        b,
        (ClifInstData){.op = CLIF_OP_ICONST, .type = t, .b = (uint32_t)x, .c = (uint32_t)(x >> 32)},
        t);
}

ClifValue cb_f32const(ClifBuilder *b, uint32_t bits) {
    return cb_ins1(b, (ClifInstData){.op = CLIF_OP_F32CONST, .b = bits}, CLIF_F32);
}

ClifValue cb_f64const(ClifBuilder *b, uint64_t bits) {
    return cb_ins1(
        b, (ClifInstData){.op = CLIF_OP_F64CONST, .b = (uint32_t)bits, .c = (uint32_t)(bits >> 32)},
        CLIF_F64);
}

ClifValue cb_icmp(ClifBuilder *b, ClifIntCC cc, ClifValue x, ClifValue y) {
    ClifInstData d = {.op = CLIF_OP_ICMP,
                      .type = clif_value_type(b->f, x),
                      .aux = (uint16_t)cc,
                      .a = x.i,
                      .b = y.i};
    return clif_type_is_vector(d.type) ? ins_value(b, d) : cb_ins1(b, d, CLIF_I8);
}

ClifValue cb_fcmp(ClifBuilder *b, ClifFloatCC cc, ClifValue x, ClifValue y) {
    ClifInstData d = {.op = CLIF_OP_FCMP,
                      .type = clif_value_type(b->f, x),
                      .aux = (uint16_t)cc,
                      .a = x.i,
                      .b = y.i};
    return clif_type_is_vector(d.type) ? ins_value(b, d) : cb_ins1(b, d, CLIF_I8);
}

ClifValue cb_load(ClifBuilder *b, ClifOp op, ClifType t, uint16_t memflags, ClifValue addr,
                  int32_t off) {
    ClifInstData d = {.op = (uint8_t)op, .aux = memflags, .a = addr.i, .b = (uint32_t)off};
    d.type = clif_op_info[op].explicit_ctrl ? t : clif_value_type(b->f, addr);
    return cb_ins1(b, d, t);
}

void cb_store(ClifBuilder *b, ClifOp op, uint16_t memflags, ClifValue data, ClifValue addr,
              int32_t off) {
    ClifInstData d = {.op = (uint8_t)op,
                      .type = clif_value_type(b->f, data),
                      .aux = memflags,
                      .a = data.i,
                      .b = addr.i,
                      .c = (uint32_t)off};
    append(b, d, CLIF_NONE);
}

/* ---- calls and terminators ---- */
ClifInst cb_call(ClifBuilder *b, ClifFuncRef fn, const ClifValue *args, uint32_t n) {
    ClifInstData d = {.op = CLIF_OP_CALL, .b = fn.i};
    d.a = n ? list_new(b->mem, &b->f->lists, &args[0].i, n) : 0;
    return cb_ins(b, d);
}

ClifInst cb_call_indirect(ClifBuilder *b, ClifSigRef s, ClifValue callee, const ClifValue *args,
                          uint32_t n) {
    ClifInstData d = {.op = CLIF_OP_CALL_INDIRECT, .type = clif_value_type(b->f, callee), .b = s.i};
    d.a = clif_make_blockcall(b->f, (ClifBlock){callee.i}, args,
                              n); /* a list with one word in front */
    return cb_ins(b, d);
}

void cb_jump(ClifBuilder *b, ClifBlock to, const ClifValue *args, uint32_t n) {
    ClifInstData d = {.op = CLIF_OP_JUMP, .a = clif_make_blockcall(b->f, to, args, n)};
    ClifInst i = append(b, d, CLIF_NONE);
    ssa_add_edge(b->mem, b->ssa, b->cur.i, i.i, 0, to.i);
}

void cb_brif(ClifBuilder *b, ClifValue c, ClifBlock t, const ClifValue *ta, uint32_t tn,
             ClifBlock e, const ClifValue *ea, uint32_t en) {
    ClifInstData d = {.op = CLIF_OP_BRIF, .type = clif_value_type(b->f, c), .a = c.i};
    d.b = clif_make_blockcall(b->f, t, ta, tn);
    d.c = clif_make_blockcall(b->f, e, ea, en);
    ClifInst i = append(b, d, CLIF_NONE);
    ssa_add_edge(b->mem, b->ssa, b->cur.i, i.i, 1, t.i);
    ssa_add_edge(b->mem, b->ssa, b->cur.i, i.i, 2, e.i);
}

void cb_br_table(ClifBuilder *b, ClifValue index, ClifJumpTable jt) {
    ClifInstData d = {.op = CLIF_OP_BR_TABLE, .a = index.i, .b = jt.i};
    add_edges(b, append(b, d, CLIF_NONE));
}

void cb_return(ClifBuilder *b, const ClifValue *vals, uint32_t n) {
    ClifInstData d = {.op = CLIF_OP_RETURN,
                      .a = n ? list_new(b->mem, &b->f->lists, &vals[0].i, n) : 0};
    append(b, d, CLIF_NONE);
}

void cb_trap(ClifBuilder *b, ClifTrap code) {
    ClifInstData d = {.op = CLIF_OP_TRAP, .aux = code};
    append(b, d, CLIF_NONE);
}

static void cond_trap(ClifBuilder *b, ClifOp op, ClifValue c, ClifTrap code) {
    ClifInstData d = {.op = (uint8_t)op, .type = clif_value_type(b->f, c), .aux = code, .a = c.i};
    append(b, d, CLIF_NONE);
}
void cb_trapz(ClifBuilder *b, ClifValue c, ClifTrap code) {
    cond_trap(b, CLIF_OP_TRAPZ, c, code);
}
void cb_trapnz(ClifBuilder *b, ClifValue c, ClifTrap code) {
    cond_trap(b, CLIF_OP_TRAPNZ, c, code);
}

ClifInst cb_last_inst(const ClifBuilder *b) {
    return (ClifInst){b->f->blocks.p[b->cur.i].last};
}
void cb_label(ClifBuilder *b, uint32_t label, ClifValue x) {
    vec_push(b->mem, &b->f->labels, (ClifValueLabel){cb_last_inst(b).i, b->cur.i, x.i, label});
}

/* In front of the others, since these labels are of the starts of blocks. */
void cb_label_params(ClifBuilder *b, uint32_t n) {
    ClifFunc *f = b->f;
    const HashMap *h = &b->ssa->params;
    VEC(ClifValueLabel) found = {0};
    for (uint32_t i = 0; h->p && i <= h->mask; i++) {
        uint32_t block = (uint32_t)(h->p[i].key >> 32), var = (uint32_t)h->p[i].key;
        if (h->p[i].gen != h->gen || var >= n) continue;
        const ClifValueData *v = &f->values.p[h->p[i].val];
        if (v->kind == CLIF_VAL_PARAM && v->ref == block)
            vec_push(b->mem, &found, (ClifValueLabel){CLIF_NONE, block, h->p[i].val, var});
    }
    uint32_t old = f->labels.n;
    if (found.n) {
        (void)vec_extend(b->mem, &f->labels, found.n);
        memmove(f->labels.p + found.n, f->labels.p, old * sizeof *found.p);
        memcpy(f->labels.p, found.p, found.n * sizeof *found.p);
    }
    vec_free(b->mem, &found);
}

bool cb_is_filled(const ClifBuilder *b) {
    return b->cur.i != CLIF_NONE && ends_in_terminator(b->f, b->cur.i);
}

bool cb_block_is_filled(const ClifBuilder *b, ClifBlock blk) {
    return ends_in_terminator(b->f, blk.i);
}
bool cb_is_sealed(const ClifBuilder *b, ClifBlock blk) {
    return b->ssa->blocks.p[blk.i].sealed;
}
bool cb_has_branches(const ClifBuilder *b, ClifBlock blk) {
    return b->ssa->blocks.p[blk.i].npreds != 0;
}
uint32_t cb_num_vars(const ClifBuilder *b) {
    return b->ssa->vars.n;
}
ClifType cb_var_type(const ClifBuilder *b, ClifVar v) {
    return b->ssa->vars.p[v.i].type;
}

ClifValue cb_ins1_in_entry(ClifBuilder *b, ClifInstData d, ClifType result) {
    ClifFunc *f = b->f;
    if (d.type == CLIF_INVALID)
        d.type = clif_op_info[d.op].explicit_ctrl ? result : infer_ctrl(b, &d);
    ClifInst i = clif_make_inst(f, d);
    ClifValue v = clif_make_result(f, i, result);
    uint32_t entry = f->first_block;
    if (ends_in_terminator(f, entry))
        clif_insert_inst_before(f, i, (ClifInst){f->blocks.p[entry].last});
    else
        clif_append_inst(f, i, (ClifBlock){entry});
    return v;
}

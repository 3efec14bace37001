/* clif/parse.c — functions of text: signature, preamble, blocks, aliases.
 *
 * Entities come with their numbers, so each is put at its place and numbers that the text skips are filled with empty
 * ones: slots of size 0, symbols without a name, and for functions and constants entries that are not printed. Values
 * may be used before they are defined; that each has a definition is checked at the end. Cost: linear. */
#include "clif/text_int.h"

/* ---- signatures ---- */
static bool abi_param(Parser *p, ClifAbiParam *out) {
    ClifType t;
    if (!p_type(p, "expected parameter type", &t)) return false;
    *out = (ClifAbiParam){.type = t};
    for (;;) {
        if (p_optional_ident(p, "uext")) {
            out->ext = CLIF_EXT_UEXT;
        } else if (p_optional_ident(p, "sext")) {
            out->ext = CLIF_EXT_SEXT;
        } else if (p_optional_ident(p, "normal")) {
            out->purpose = CLIF_ARG_NORMAL;
        } else if (p_optional_ident(p, "sret")) {
            out->purpose = CLIF_ARG_STRUCT_RETURN;
        } else if (p_optional_ident(p, "vmctx")) {
            out->purpose = CLIF_ARG_VMCTX;
        } else if (p_optional_ident(p, "sarg")) {
            out->purpose = CLIF_ARG_STRUCT_ARG;
            if (!p_expect(p, TOK_LPAR, "expected '(' to begin sarg size") ||
                !p_uimm32(p, "expected byte-size in sarg decl", &out->struct_size) ||
                !p_expect(p, TOK_RPAR, "expected ')' to end sarg size"))
                return false;
        } else {
            return true;
        }
    }
}

static bool signature(Parser *p, ClifCallConv *cc) {
    ClifAbiParam a;
    vec_clear(&p->params);
    vec_clear(&p->returns);
    *cc = p->default_cc;
    if (!p_expect(p, TOK_LPAR, "expected function signature: ( args... )")) return false;
    if (p_peek(p) != TOK_RPAR) {
        do {
            if (!abi_param(p, &a)) return false;
            vec_push(p->mem, &p->params, a);
        } while (p_optional(p, TOK_COMMA));
    }
    if (!p_expect(p, TOK_RPAR, "expected ')' after function arguments")) return false;
    if (p_optional(p, TOK_ARROW)) {
        do {
            if (!abi_param(p, &a)) return false;
            vec_push(p->mem, &p->returns, a);
        } while (p_optional(p, TOK_COMMA));
    }
    if (p_peek(p) != TOK_IDENT) return true;
    for (int k = CLIF_CC_FAST; k <= CLIF_CC_PRESERVE_ALL; k++)
        if (p_optional_ident(p, clif_callconv_name[k])) {
            *cc = (ClifCallConv)k;
            return true;
        }
    return p_error(p, "unknown calling convention: %.*s",
                   (int)(p->tok.text.n < 100 ? p->tok.text.n : 100), p->tok.text.p);
}

static ClifSigRef import_parsed(Parser *p, ClifCallConv cc) {
    return clif_import_sig(p->f, cc, p->params.p, p->params.n, p->returns.p, p->returns.n);
}

/* ---- preamble ---- */
#define FILL_TO(vec, num, ...) \
    while ((vec)->n <= (num)) vec_push(p->f->mem, (vec), __VA_ARGS__)

static bool head(Parser *p, TokenKind tok, uint32_t *num) { /* NAMEn = */
    p_gather(p);
    return p_ref(p, tok, "expected an entity", num) &&
           p_expect(p, TOK_EQUAL, "expected '=' in declaration");
}

static bool stack_slot(Parser *p) {
    ClifFunc *f = p->f;
    uint32_t num;
    int64_t size, align = 1;
    ClifStackSlotData s = {0};
    if (!head(p, TOK_SS, &num)) return false;
    if (p_optional_ident(p, "explicit_dynamic_slot"))
        s.kind = 1;
    else if (!p_optional_ident(p, "explicit_slot"))
        return p_error(p, "expected stack slot kind");
    if (!p_imm64(p, "expected byte-size in stack_slot decl", &size)) return false;
    if (size < 0) return p_error(p, "negative stack slot size");
    if (size > (int64_t)UINT32_MAX) return p_error(p, "stack slot too large");
    s.size = (uint32_t)size;
    while (p_optional(p, TOK_COMMA)) {
        if (p_optional_ident(p, "align")) {
            if (!p_expect(p, TOK_EQUAL, "expected `=` after flag") ||
                !p_imm64(p, "expected alignment-size after `align` flag", &align))
                return false;
            if (align < 0 || align > (int64_t)UINT32_MAX)
                return p_error(p, "alignment must be a 32-bit unsigned integer");
        } else if (p_optional_ident(p, "key")) {
            ClifStr t;
            if (!p_expect(p, TOK_EQUAL, "expected `=` after flag") ||
                !p_integer(p, "expected `u64` value for `key` flag", &t))
                return false;
            if (clif_parse_u64(t, &s.key)) return p_error(p, "expected u64 immediate");
            s.has_key = 1;
        } else {
            return p_error(p, "invalid flag for stack slot");
        }
    }
    if (align == 0 || (align & (align - 1)))
        return p_error(p, "stack slot alignment is not a power of two");
    s.align_log2 = (uint8_t)__builtin_ctzll((uint64_t)align);
    p_claim(p, CLIF_ENTITY_STACK_SLOT, num);
    if (!p_define(p, CLIF_ENTITY_STACK_SLOT, num)) return false;
    FILL_TO(&f->slots, num, (ClifStackSlotData){0});
    f->slots.p[num] = s;
    return true;
}

static bool dyn_slot(Parser *p) {
    ClifFunc *f = p->f;
    uint32_t num, dt;
    if (!head(p, TOK_DSS, &num)) return false;
    if (!p_optional_ident(p, "explicit_dynamic_slot") && !p_optional_ident(p, "explicit_slot"))
        return p_error(p, "expected stack slot kind");
    if (!p_ref(p, TOK_DT, "expected dynamic type", &dt)) return false;
    p_claim(p, CLIF_ENTITY_DYN_SLOT, num);
    if (!p_define(p, CLIF_ENTITY_DYN_SLOT, num)) return false;
    FILL_TO(&f->dyn_slots, num, (ClifDynStackSlotData){dt});
    f->dyn_slots.p[num].dyn_type = dt;
    return true;
}

static bool dyn_type(Parser *p) {
    ClifFunc *f = p->f;
    uint32_t num;
    ClifType base;
    ClifDynTypeData d;
    if (!head(p, TOK_DT, &num) || !p_type(p, "expected base type", &base)) return false;
    if (!clif_type_is_vector(base) || clif_type_is_dynamic(base))
        return p_error(p, "expected vector type");
    d.base_vector = base;
    if (!p_expect(p, TOK_STAR, "expected '*' followed by a dynamic scale value") ||
        !p_ref(p, TOK_GV, "expected dynamic scale global value", &d.scale_gv))
        return false;
    p_claim(p, CLIF_ENTITY_DYN_TYPE, num);
    if (!p_define(p, CLIF_ENTITY_DYN_TYPE, num)) return false;
    FILL_TO(&f->dyn_types, num, d);
    f->dyn_types.p[num] = d;
    return true;
}

static bool dot_type(Parser *p, ClifType *t) {
    return p_expect(p, TOK_DOT, "expected '.' followed by type in global value decl") &&
           p_type(p, "expected a type", t);
}

static bool gv_body(Parser *p, ClifGlobalValueData *g) {
    ClifType t = CLIF_INVALID;
    int32_t off;
    if (p_optional_ident(p, "vmctx")) {
        g->kind = CLIF_GV_VMCTX;
    } else if (p_optional_ident(p, "load")) {
        g->kind = CLIF_GV_LOAD;
        if (!dot_type(p, &t) || !p_memflags(p, &g->memflags) ||
            !p_ref(p, TOK_GV, "expected global value: gv\xC2\xABn\xC2\xBB", &g->base) ||
            !p_offset32(p, &off))
            return false;
        g->offset = off;
        ClifMemFlags m = clif_memflags(p->f, g->memflags);
        if (m.trap != CLIF_TRAP_NONE || !(m.bits & CLIF_MEM_ALIGNED))
            return p_error(p, "global-value load must be notrap and aligned");
    } else if (p_optional_ident(p, "iadd_imm")) {
        g->kind = CLIF_GV_IADD_IMM;
        if (!dot_type(p, &t) ||
            !p_ref(p, TOK_GV, "expected global value: gv\xC2\xABn\xC2\xBB", &g->base) ||
            !p_expect(p, TOK_COMMA, "expected ',' followed by rhs in iadd_imm global value decl") ||
            !p_imm64(p, "expected iadd_imm immediate", &g->offset))
            return false;
    } else if (p_optional_ident(p, "symbol")) {
        g->kind = CLIF_GV_SYMBOL;
        g->colocated = p_optional_ident(p, "colocated");
        g->tls = p_optional_ident(p, "tls");
        if (!p_external_name(p, &g->name, true)) return false;
        if (p_peek(p) == TOK_INTEGER && (p->tok.text.p[0] == '+' || p->tok.text.p[0] == '-') &&
            !p_imm64(p, "", &g->offset))
            return false;
    } else if (p_optional_ident(p, "dyn_scale_target_const")) {
        g->kind = CLIF_GV_DYN_SCALE;
        ClifType v;
        if (!dot_type(p, &v)) return false;
        if (!clif_type_is_vector(v)) return p_error(p, "expected vector type");
        g->vector_type = v;
    } else {
        return p_error(p, "unknown global value kind");
    }
    g->type = t;
    return true;
}

static bool global_value(Parser *p) {
    ClifFunc *f = p->f;
    uint32_t num;
    ClifGlobalValueData g = {0};
    if (!head(p, TOK_GV, &num) || !gv_body(p, &g)) return false;
    p_claim(p, CLIF_ENTITY_GLOBAL_VALUE, num);
    if (!p_define(p, CLIF_ENTITY_GLOBAL_VALUE, num)) return false;
    ClifGlobalValueData hole = {.kind = CLIF_GV_SYMBOL, .name = {CLIF_NAME_TESTCASE, 0, 0}};
    FILL_TO(&f->gvs, num, hole);
    f->gvs.p[num] = g;
    return true;
}

static bool sig_decl(Parser *p) {
    ClifFunc *f = p->f;
    uint32_t num;
    ClifCallConv cc;
    if (!head(p, TOK_SIG, &num) || !signature(p, &cc)) return false;
    p_claim(p, CLIF_ENTITY_SIG, num);
    if (!p_define(p, CLIF_ENTITY_SIG, num)) return false;
    import_parsed(p, cc);
    ClifSig s = vec_pop(&f->sigs);
    FILL_TO(&f->sigs, num, (ClifSig){.callconv = (uint8_t)p->default_cc});
    f->sigs.p[num] = s;
    return true;
}

static bool func_decl(Parser *p) {
    ClifFunc *f = p->f;
    uint32_t num;
    ClifExtFunc e = {.sig = {CLIF_NONE}};
    if (!head(p, TOK_FN, &num)) return false;
    e.colocated = p_optional_ident(p, "colocated");
    e.patchable = p_optional_ident(p, "patchable");
    if (!p_external_name(p, &e.name, false)) return false;
    if (p_peek(p) == TOK_LPAR) {
        ClifCallConv cc;
        if (!signature(p, &cc)) return false;
        e.sig = import_parsed(p, cc);
        if (!p_define(p, CLIF_ENTITY_SIG, e.sig.i)) return false;
    } else {
        if (p->tok.kind == TOK_SIG && !p_defined(p, CLIF_ENTITY_SIG, p->tok.num))
            return p_error(p, "undefined signature sig%u", p->tok.num);
        if (!p_ref(p, TOK_SIG, "expected 'function' or sig\xC2\xABn\xC2\xBB in function decl",
                   &e.sig.i))
            return false;
    }
    p_claim(p, CLIF_ENTITY_FUNC, num);
    if (!p_define(p, CLIF_ENTITY_FUNC, num)) return false;
    ClifExtFunc hole = {.name = {CLIF_NAME_TESTCASE, 0, 0}, .sig = {CLIF_NONE}};
    FILL_TO(&f->funcs, num, hole);
    f->funcs.p[num] = e;
    return true;
}

static bool const_decl(Parser *p) {
    uint8_t bytes[CLIF_MAX_CONST_BYTES];
    uint32_t num, n;
    ClifType t;
    ClifStr s;
    if (!head(p, TOK_CONST, &num)) return false;
    if (p_peek(p) == TOK_TYPE) {
        if (!p_type(p, "", &t) || !p_sized_const(p, t, bytes, sizeof bytes, &n)) return false;
    } else {
        if (!p_integer(p, "expected an immediate hexadecimal operand", &s)) return false;
        const char *e = clif_parse_hex_bytes(s, bytes, &n);
        if (e) return p_error(p, "expected hexadecimal immediate, failed to parse: %s", e);
    }
    p_claim(p, CLIF_ENTITY_CONST, num);
    if (!p_define(p, CLIF_ENTITY_CONST, num)) return false;
    clif_set_const(p->f, (ClifConst){num}, bytes, n);
    return true;
}

static bool region_decl(Parser *p) {
    uint32_t num, user;
    if (!head(p, TOK_REGION, &num) ||
        !p_uimm32(p, "expected integer user_id for alias region", &user))
        return false;
    if (p_peek(p) != TOK_STRING) return p_error(p, "expected string description for alias region");
    ClifStr s = p->tok.text;
    p_take(p);
    p_claim(p, CLIF_ENTITY_REGION, num);
    if (num != p->f->regions.n) return p_error(p, "duplicate alias region region%u", num);
    clif_make_alias_region(p->f, user, s.p, s.n);
    return true;
}

static bool stack_limit(Parser *p) {
    uint32_t gv;
    p_gather(p);
    p_take(p);
    if (!p_expect(p, TOK_EQUAL, "expected '=' in stack limit decl") ||
        !p_ref(p, TOK_GV, "expected global value", &gv))
        return false;
    p_claim(p, CLIF_ENTITY_STACK_LIMIT, 0);
    if (p->f->stack_limit != CLIF_NONE) return p_error(p, "stack limit defined twice");
    p->f->stack_limit = gv;
    return true;
}

static bool preamble(Parser *p) {
    for (;;) {
        bool ok;
        switch (p_peek(p)) {
        case TOK_SS: ok = stack_slot(p); break;
        case TOK_DSS: ok = dyn_slot(p); break;
        case TOK_DT: ok = dyn_type(p); break;
        case TOK_GV: ok = global_value(p); break;
        case TOK_SIG: ok = sig_decl(p); break;
        case TOK_FN: ok = func_decl(p); break;
        case TOK_CONST: ok = const_decl(p); break;
        case TOK_REGION: ok = region_decl(p); break;
        default:
            if (!p_peek_ident(p, "stack_limit")) return true;
            ok = stack_limit(p);
            break;
        }
        if (!ok) return false;
    }
}

/* ---- blocks ---- */
static bool block_params(Parser *p, ClifBlock b) {
    if (!p_optional(p, TOK_LPAR) || p_optional(p, TOK_RPAR)) return true;
    do {
        uint32_t v;
        ClifType t;
        if (!p_ref(p, TOK_VALUE, "block argument must be a value", &v) ||
            !p_expect(p, TOK_COLON, "expected ':' after block argument") ||
            !p_type(p, "expected block argument type", &t) || !p_define_value(p, v))
            return false;
        clif_define_block_param(p->f, b, t, (ClifValue){v});
    } while (p_optional(p, TOK_COMMA));
    return p_expect(p, TOK_RPAR, "expected ')' after block parameters");
}

static bool debug_tags(Parser *p) {
    vec_clear(&p->tags);
    if (!p_optional(p, TOK_LANGLE)) return true;
    while (p_peek(p) != TOK_RANGLE) {
        uint32_t slot = p->tok.kind == TOK_SS, x;
        if (slot ? !p_ref(p, TOK_SS, "", &x)
                 : !p_uimm32(p, "expected integer user value or stack slot in debug tags", &x))
            return false;
        vec_push(p->mem, &p->tags, slot);
        vec_push(p->mem, &p->tags, x);
        if (!p_optional(p, TOK_COMMA)) break;
    }
    return p_expect(p, TOK_RANGLE, "expected `,` or `>`");
}

static bool source_location(Parser *p, uint32_t *loc) {
    *loc = CLIF_NONE;
    if (p_peek(p) != TOK_SRCLOC) return true;
    uint64_t x = 0;
    ClifStr s = p->tok.text;
    for (uint32_t k = 0; k < s.n && x <= UINT32_MAX; k++)
        x = x << 4 | (unsigned)(s.p[k] <= '9' ? s.p[k] - '0' : (s.p[k] | 32) - 'a' + 10);
    if (x > UINT32_MAX) return p_error(p, "invalid source location");
    *loc = (uint32_t)x;
    p_take(p);
    return true;
}

/* v1 -> v2. The target has its definition above; the same alias may be given again. */
static bool value_alias(Parser *p) {
    ClifFunc *f = p->f;
    uint32_t of;
    if (p->results.n != 1) return p_error(p, "wrong number of aliases");
    uint32_t v = p->results.p[0];
    if (!p_ref(p, TOK_VALUE, "expected value alias", &of)) return false;
    if (p_value_known(p, v)) {
        if (f->values.p[v].kind != CLIF_VAL_ALIAS)
            return p_error(p, "value v%u is already defined", v);
        if (f->values.p[v].ref != of)
            return p_error(p, "value v%u is already defined as an alias with destination v%u", v,
                           f->values.p[v].ref);
        return true;
    }
    if (v == of) return p_error(p, "alias cycle involving v%u", v);
    if (!p_value_known(p, of)) return p_error(p, "value v%u is not yet defined", of);
    clif_define_alias(f, (ClifValue){v}, (ClifValue){of});
    return true;
}

static bool body_line(Parser *p, uint32_t block) {
    uint32_t srcloc, v;
    if (!debug_tags(p) || !source_location(p, &srcloc)) return false;
    vec_clear(&p->results);
    if (p_peek(p) == TOK_VALUE) {
        do {
            if (!p_ref(p, TOK_VALUE, "expected result value", &v)) return false;
            vec_push(p->mem, &p->results, v);
        } while (p_optional(p, TOK_COMMA));
        clif_reserve_values(p->f, v + 1);
        if (p_optional(p, TOK_ARROW)) return value_alias(p);
        if (!p_expect(p, TOK_EQUAL, "expected -> or =")) return false;
    }
    return p_instruction(p, block, srcloc);
}

static bool basic_block(Parser *p) {
    ClifFunc *f = p->f;
    uint32_t b;
    p_gather(p);
    if (!p_ref(p, TOK_BLOCK, "expected block header", &b)) return false;
    uint32_t line = p->line;
    while (f->blocks.n <= b) clif_make_block(f);
    if (f->blocks.p[b].flags & CLIF_BLOCK_INSERTED)
        return p_error(p, "duplicate entity: block%u", b);
    clif_append_block(f, (ClifBlock){b});
    vec_resize0(p->mem, &p->details->block_line, f->blocks.n);
    p->details->block_line.p[b] = line;
    if (!block_params(p, (ClifBlock){b})) return false;
    if (p_optional(p, TOK_COLD)) f->blocks.p[b].flags |= CLIF_BLOCK_COLD;
    if (!p_expect(p, TOK_COLON, "expected ':' after block parameters")) return false;
    p_claim(p, CLIF_ENTITY_BLOCK, b);
    for (;;) {
        switch (p_peek(p)) {
        case TOK_VALUE:
        case TOK_IDENT:
        case TOK_SRCLOC:
        case TOK_LANGLE:
            if (!body_line(p, b)) return false;
            break;
        default: return true;
        }
    }
}

/* ---- at the end ---- */
static bool defined_operand(Parser *p, uint32_t inst, uint32_t v) {
    if (p_value_known(p, v)) return true;
    p->have = false;
    p->line = p->details->inst_line.p[inst];
    p->col = 1;
    return p_error(p, "undefined operand value v%u", v);
}

static bool all_operands_defined(Parser *p) {
    ClifFunc *f = p->f;
    for (uint32_t i = 0; i < f->insts.n; i++) {
        uint32_t n, *a = clif_args(f, (ClifInst){i}, &n);
        for (uint32_t k = 0; k < n; k++)
            if (!defined_operand(p, i, a[k])) return false;
        const ListRef *calls;
        ListRef tmp[2];
        uint32_t nc = clif_branch_calls(f, (ClifInst){i}, &calls, tmp);
        for (uint32_t c = 0; c < nc; c++) {
            a = clif_call_args(f, calls[c], &n);
            for (uint32_t k = 0; k < n; k++)
                if (!(a[k] & CLIF_BLOCKARG_MASK) && !defined_operand(p, i, a[k])) return false;
        }
        ClifFormat fmt = (ClifFormat)clif_op_info[f->insts.p[i].op].format;
        if (fmt != CLIF_FMT_TryCall && fmt != CLIF_FMT_TryCallIndirect) continue;
        const ClifEhTableData *t = &f->eh_tables.p[f->insts.p[i].c];
        for (uint32_t k = 0; k < t->n; k++) {
            const ClifEhItem *it = &f->eh_items.p[t->first + k];
            if (it->kind == CLIF_EH_CONTEXT && !defined_operand(p, i, it->context.i)) return false;
        }
    }
    return true;
}

static void resolve_function_names(ClifFunc *f) {
    for (uint32_t k = 0; k < f->funcs.n; k++)
        f->funcs.p[k].name = clif_resolve_name(f, f->funcs.p[k].name);
}

static bool function(Parser *p) {
    ClifFunc *f = p->f;
    ClifCallConv cc;
    p_peek(p);
    p_gather(p);
    if (!p_optional_ident(p, "function")) return p_error(p, "expected 'function'");
    p->details->line = p->line;
    if (!p_name_of_function(p, &f->name) || !signature(p, &cc)) return false;
    clif_set_sig(f, cc, p->params.p, p->params.n, p->returns.p, p->returns.n);
    if (!p_expect(p, TOK_LBRACE, "expected '{' before function body")) return false;
    p_claim(p, CLIF_ENTITY_FUNCTION, 0);
    if (!preamble(p)) return false;
    while (p_peek(p) != TOK_RBRACE)
        if (!basic_block(p)) return false;
    p->details->end_line = p->line;
    if (!all_operands_defined(p)) return false;
    p_take(p);
    p_gather(p);
    p_claim(p, CLIF_ENTITY_FUNCTION, 0);
    resolve_function_names(f);
    return true;
}

bool clif_reader_next(ClifReader *r, ClifFunc *f, ClifDetails *d) {
    Parser *p = &r->p;
    if (r->done || p->d->kind != DIAG_NONE) return false;
    p->f = f;
    p->details = d ? d : &r->unused;
    p->comments = &p->details->comments;
    vec_clear(&p->details->comments);
    vec_clear(&p->details->inst_line);
    vec_clear(&p->details->block_line);
    hashmap_clear(&p->defined);
    hashmap_clear(&p->names);
    clif_func_clear(f);
    if (p_peek(p) == TOK_END) {
        r->done = true;
        return false;
    }
    return function(p);
}

/* clif/parse_inst.c — one instruction of text.
 *
 * The operands are read by the pattern of the opcode's format (formats.def), the same letters that the printer writes.
 * The controlling type is the one written, or that of the controlling argument, which must then be defined above.
 * Cost: linear. */
#include "clif/text_int.h"

/* ---- what is defined ---- */
bool p_define(Parser *p, ClifEntityKind kind, uint32_t num) {
    static const char *const prefix[CLIF_ENTITY_KIND_COUNT] = {
        [CLIF_ENTITY_STACK_SLOT] = "ss", [CLIF_ENTITY_DYN_SLOT] = "dss",
        [CLIF_ENTITY_DYN_TYPE] = "dt",   [CLIF_ENTITY_GLOBAL_VALUE] = "gv",
        [CLIF_ENTITY_SIG] = "sig",       [CLIF_ENTITY_FUNC] = "fn",
        [CLIF_ENTITY_CONST] = "const",
    };
    bool fresh;
    hashmap_get_or_insert(p->mem, &p->defined, (uint64_t)kind << 32 | num, 0, &fresh);
    return fresh ? true : p_error(p, "duplicate entity: %s%u", prefix[kind], num);
}

bool p_defined(Parser *p, ClifEntityKind kind, uint32_t num) {
    return hashmap_find(&p->defined, (uint64_t)kind << 32 | num) != NULL;
}

bool p_value_known(const Parser *p, uint32_t v) {
    return v < p->f->values.n && p->f->values.p[v].ref != CLIF_NONE;
}

/* Until its instruction is there, a result has a definition (ref) but no type. */
bool p_define_value(Parser *p, uint32_t v) {
    if (p_value_known(p, v)) return p_error(p, "duplicate entity: v%u", v);
    clif_reserve_values(p->f, v + 1);
    p->f->values.p[v].ref = p->f->insts.n;
    return true;
}

/* ---- operands ---- */
typedef struct Operands {
    ClifOp op;
    ClifType given; /* type written after the opcode */
    ClifInstData d;
} Operands;

static bool value(Parser *p, uint32_t *v) {
    return p_ref(p, TOK_VALUE, "expected SSA value operand", v);
}

static bool value_list(Parser *p) { /* appended to p->args */
    uint32_t v;
    if (p_peek(p) != TOK_VALUE) return true;
    do {
        if (!value(p, &v)) return false;
        vec_push(p->mem, &p->args, v);
    } while (p_optional(p, TOK_COMMA));
    return true;
}

static bool block_call(Parser *p, ListRef *out) {
    uint32_t b, x, base = p->args.n;
    if (!p_ref(p, TOK_BLOCK, "expected branch destination block", &b)) return false;
    if (p_optional(p, TOK_LPAR)) {
        while (p_peek(p) != TOK_RPAR) {
            uint32_t mark = p->tok.kind == TOK_RET   ? CLIF_BLOCKARG_TRY_RET
                            : p->tok.kind == TOK_EXN ? CLIF_BLOCKARG_TRY_EXN
                                                     : 0;
            if (!p_ref(p, mark ? p->tok.kind : TOK_VALUE, "expected a block argument", &x))
                return false;
            vec_push(p->mem, &p->args, x | mark);
            if (!p_optional(p, TOK_COMMA)) break;
        }
        if (!p_expect(p, TOK_RPAR, "expected ')' after arguments")) return false;
    }
    *out = clif_make_blockcall(p->f, (ClifBlock){b}, (const ClifValue *)(p->args.p + base),
                               p->args.n - base);
    p->args.n = base;
    return true;
}

static bool push_call(Parser *p) {
    ListRef c;
    if (!block_call(p, &c)) return false;
    vec_push(p->mem, &p->calls, c);
    return true;
}

static bool jump_table(Parser *p, uint32_t *out) {
    vec_clear(&p->calls);
    if (!push_call(p) || !p_expect(p, TOK_COMMA, "expected ',' between operands") ||
        !p_expect(p, TOK_LBRACKET, "expected '[' before jump table contents"))
        return false;
    if (p_peek(p) != TOK_RBRACKET) {
        do
            if (!push_call(p)) return false;
        while (p_optional(p, TOK_COMMA));
    }
    if (!p_expect(p, TOK_RBRACKET, "expected ']' after jump table contents")) return false;
    *out = clif_make_jump_table(p->f, p->calls.p, p->calls.n).i;
    return true;
}

static bool eh_item(Parser *p) {
    ClifEhItem it = {0};
    if (p_peek(p) == TOK_TAG) {
        it.kind = CLIF_EH_TAG;
        it.tag = p->tok.num;
        p_take(p);
    } else if (p_optional_ident(p, "default")) {
        it.kind = CLIF_EH_DEFAULT;
    } else if (p_optional_ident(p, "context")) {
        it.kind = CLIF_EH_CONTEXT;
        if (!p_ref(p, TOK_VALUE, "expected value for exception-handler context", &it.context.i))
            return false;
        vec_push(p->mem, &p->items, it);
        return true;
    } else {
        return p_error(p, "expected a tag, 'default' or 'context'");
    }
    vec_push(p->mem, &p->items, it);
    return p_expect(p, TOK_COLON, "expected ':' before the handler") && push_call(p);
}

static bool eh_table(Parser *p, uint32_t *out) {
    uint32_t sig;
    vec_clear(&p->calls);
    vec_clear(&p->items);
    if (!p_ref(p, TOK_SIG, "expected signature of called function", &sig) ||
        !p_expect(p, TOK_COMMA, "expected comma after signature argument") || !push_call(p) ||
        !p_expect(p, TOK_COMMA, "expected comma after normal-return destination") ||
        !p_expect(p, TOK_LBRACKET, "expected an open-bracket for exception table list"))
        return false;
    while (p_peek(p) != TOK_RBRACKET) {
        if (!eh_item(p)) return false;
        if (!p_optional(p, TOK_COMMA)) break;
    }
    if (!p_expect(p, TOK_RBRACKET, "expected closing bracket")) return false;
    *out =
        clif_make_eh_table(p->f, (ClifSigRef){sig}, p->calls.p, p->calls.n, p->items.p, p->items.n)
            .i;
    return true;
}

static bool defined_ref(Parser *p, TokenKind tok, ClifEntityKind kind, const char *what,
                        uint32_t *out) {
    if (p_peek(p) != tok) return p_error(p, "expected %s reference", what);
    if (!p_defined(p, kind, p->tok.num)) return p_error(p, "undefined %s %u", what, p->tok.num);
    return p_ref(p, tok, "", out);
}

static bool constant(Parser *p, Operands *o) {
    uint8_t bytes[256];
    uint32_t n = 16;
    if (p_peek(p) == TOK_CONST)
        return defined_ref(p, TOK_CONST, CLIF_ENTITY_CONST, "constant", &o->d.a);
    memset(bytes, 0, sizeof bytes);
    if (o->op == CLIF_OP_F128CONST) {
        uint64_t w[2];
        if (!p_float(p, 128, w)) return false;
        for (unsigned k = 0; k < 16; k++) bytes[k] = (uint8_t)(w[k / 8] >> (8 * (k % 8)));
    } else {
        if (o->given == CLIF_INVALID)
            return p_error(
                p, "expected either a const entity or a typed value, e.g. inst.i32x4 [...]");
        if (!p_sized_const(p, o->given, bytes, sizeof bytes, &n)) return false;
    }
    o->d.a = clif_intern_const(p->f, bytes, n).i;
    return true;
}

static bool enumerated(Parser *p, const char *const *names, uint32_t n, const char *what,
                       uint32_t *out) {
    if (p_peek(p) != TOK_IDENT) return p_error(p, "expected %s", what);
    for (uint32_t k = 0; k < n; k++)
        if (clif_str_is(p->tok.text, names[k])) {
            *out = k;
            p_take(p);
            return true;
        }
    return p_error(p, "expected %s", what);
}

static bool integer_constant(Parser *p, Operands *o) {
    uint64_t w[2] = {0, 0};
    if (o->op != CLIF_OP_ICONST) {
        if (!p_imm64(p, "expected a 64-bit integer", (int64_t *)&w[0])) return false;
    } else {
        if (!clif_typeset_has(CLIF_TS_NarrowInt, o->given))
            return p_error(p, "expected one of the following type: i8, i16, i32 or i64");
        if (!p_int(p, clif_type_bits(o->given), "expected immediate integer operand", w))
            return false;
    }
    o->d.b = (uint32_t)w[0];
    o->d.c = (uint32_t)(w[0] >> 32);
    return true;
}

static bool float_constant(Parser *p, Operands *o, unsigned bits) {
    uint64_t w[2];
    if (!p_float(p, bits, w)) return false;
    o->d.b = (uint32_t)w[0];
    o->d.c = (uint32_t)(w[0] >> 32);
    return true;
}

static bool shuffle_mask(Parser *p, Operands *o) {
    uint8_t bytes[16];
    uint32_t n;
    if (!p_sized_const(p, CLIF_I8X16, bytes, 16, &n)) return false;
    o->d.c = clif_make_imm128(p->f, bytes).i;
    return true;
}

static bool trap_code(Parser *p, Operands *o) {
    ClifTrap t = CLIF_TRAP_NONE;
    if (p_peek(p) == TOK_IDENT) t = clif_trap_parse(p->tok.text.p, p->tok.text.n);
    if (t == CLIF_TRAP_NONE) return p_error(p, "expected trap code");
    p_take(p);
    o->d.aux = t;
    return true;
}

static bool operand(Parser *p, Operands *o, char letter) {
    ClifInstData *d = &o->d;
    uint32_t x = 0;
    int32_t off;
    uint8_t u8;
    switch (letter) {
    case ' ': return true;
    case ',': return p_expect(p, TOK_COMMA, "expected ',' between operands");
    case '(': return p_expect(p, TOK_LPAR, "expected '(' before arguments");
    case ')': return p_expect(p, TOK_RPAR, "expected ')' after arguments");
    case 'a': return value(p, &d->a);
    case 'b': return value(p, &d->b);
    case 'c': return value(p, &d->c);
    case 'A':
    case 'V': return value_list(p);
    case 'C':
        if (!value(p, &x)) return false;
        vec_push(p->mem, &p->args, x);
        return operand(p, o, '(') && value_list(p) && operand(p, o, ')');
    case 'F': return p_memflags(p, &d->aux);
    case 'i': return integer_constant(p, o);
    case 'h': return float_constant(p, o, 16);
    case 's': return float_constant(p, o, 32);
    case 'd': return float_constant(p, o, 64);
    case '8':
        if (!p_uimm8(p, "expected unsigned 8-bit immediate", &u8)) return false;
        d->aux = u8;
        return true;
    case 't': return trap_code(p, o);
    case 'o':
    case 'O':
        if (!p_offset32(p, &off)) return false;
        *(letter == 'o' ? &d->b : &d->c) = (uint32_t)off;
        return true;
    case 'I':
        if (!enumerated(p, clif_intcc_name, CLIF_ULE + 1, "intcc condition code", &x)) return false;
        d->aux = (uint16_t)x;
        return true;
    case 'L':
        if (!enumerated(p, clif_floatcc_name, CLIF_FUGE + 1, "floatcc condition code", &x))
            return false;
        d->aux = (uint16_t)x;
        return true;
    case 'R': return enumerated(p, clif_rmw_name, CLIF_RMW_SMAX + 1, "AtomicRmwOp", &d->c);
    case 'M': return shuffle_mask(p, o);
    case 'J': return block_call(p, &d->a);
    case 'T': return block_call(p, &d->b);
    case 'E': return block_call(p, &d->c);
    case 'B': return jump_table(p, &d->b);
    case 'X': return eh_table(p, &d->c);
    case 'K': return constant(p, o);
    case 'G': return defined_ref(p, TOK_GV, CLIF_ENTITY_GLOBAL_VALUE, "global value", &d->a);
    case 'p': return defined_ref(p, TOK_SS, CLIF_ENTITY_STACK_SLOT, "stack slot", &d->a);
    case 'D': return defined_ref(p, TOK_DSS, CLIF_ENTITY_DYN_SLOT, "dynamic stack slot", &d->a);
    case 'n': return defined_ref(p, TOK_FN, CLIF_ENTITY_FUNC, "function", &d->b);
    case 'N': return defined_ref(p, TOK_FN, CLIF_ENTITY_FUNC, "function", &d->a);
    case 'S': return defined_ref(p, TOK_SIG, CLIF_ENTITY_SIG, "signature", &d->b);
    case 'k': return p_ref(p, TOK_BLOCK, "expected block", &d->a);
    default: COT_BUG("no reader for operand '%c'", letter);
    }
}

static bool operands(Parser *p, Operands *o) {
    ClifFormat fmt = (ClifFormat)clif_op_info[o->op].format;
    vec_clear(&p->args);
    vec_reserve(p->mem, &p->args, 16); /* never null, even if empty */
    for (const char *s = clif_format_info[fmt].pattern; *s; s++)
        if (!operand(p, o, *s)) return false;
    if (clif_op_info[o->op].has_list) o->d.a = list_new(p->mem, &p->f->lists, p->args.p, p->args.n);
    return true;
}

/* ---- controlling type ---- */
static bool controlling_type(Parser *p, Operands *o) {
    const ClifOpSpec *s = &clif_op_spec[o->op];
    const char *name = clif_op_info[o->op].name;
    char buf[16];
    ClifType t = o->given;
    if (s->ctrl_mode == CLIF_CTRL_MONO) {
        if (t != CLIF_INVALID) return p_error(p, "%s does not take a typevar", name);
        return true;
    }
    if (t == CLIF_INVALID) {
        if (s->ctrl_mode == CLIF_CTRL_BY_RESULT)
            return p_error(p, "type variable required for polymorphic opcode '%s'", name);
        const uint32_t *args =
            clif_op_info[o->op].has_list ? list_data(&p->f->lists, o->d.a) : &o->d.a;
        uint32_t v = args[s->ctrl_arg];
        t = p_value_known(p, v) ? clif_value_type(p->f, (ClifValue){v}) : CLIF_INVALID;
        if (t == CLIF_INVALID)
            return p_error(
                p,
                "type variable required for polymorphic opcode '%s'; can't infer from v%u which is "
                "not yet %s",
                name, v, p_value_known(p, v) ? "resolved" : "defined");
    }
    if (!clif_typeset_has((ClifTypeSet)s->ctrl_set, t))
        return p_error(p, "%s is not a valid typevar for %s", clif_type_name(t, buf), name);
    o->d.type = t;
    return true;
}

static bool type_suffix(Parser *p, ClifType *t) {
    *t = CLIF_INVALID;
    if (!p_optional(p, TOK_DOT)) return true;
    if (p_peek(p) == TOK_TYPE) return p_type(p, "", t);
    uint32_t dt;
    if (!defined_ref(p, TOK_DT, CLIF_ENTITY_DYN_TYPE, "dynamic type", &dt)) return false;
    ClifType base = (ClifType)p->f->dyn_types.p[dt].base_vector;
    if (clif_type_is_dynamic(base) || clif_type_log2_lanes(base) > 7)
        return p_error(p, "dt%u has too many lanes", dt);
    *t = base + 0x80;
    return true;
}

/* ---- what follows the operands ---- */
static bool stack_map(Parser *p, ClifOp op) {
    if (!p_optional(p, TOK_COMMA)) return true;
    if (!p_peek_ident(p, "stack_map")) return p_error(p, "expected `stack_map = [...]`");
    if (!clif_op_is(op, CLIF_OPF_CALL) || clif_op_is(op, CLIF_OPF_RETURN))
        return p_error(p, "stack map can only be attached to a (non-tail) call");
    p_take(p);
    if (!p_expect(p, TOK_EQUAL, "expected `= [...]`") ||
        !p_expect(p, TOK_LBRACKET, "expected `[...]`"))
        return false;
    while (p_peek(p) != TOK_RBRACKET) {
        ClifStackMapEntry e = {.inst = p->f->insts.n};
        ClifType t;
        if (!p_type(p, "expected `<type> @ <slot> + <offset>`", &t) ||
            !p_expect(p, TOK_AT, "expected `@ <slot> + <offset>`") ||
            !p_ref(p, TOK_SS, "expected `<slot> + <offset>`", &e.slot))
            return false;
        if (!(p_peek(p) == TOK_INTEGER && p->tok.text.p[0] == '+') &&
            !p_expect(p, TOK_PLUS, "expected `+ <offset>`"))
            return false;
        if (!p_uimm32(p, "expected a u32 offset", &e.offset)) return false;
        e.type = t;
        vec_push(p->mem, &p->f->stack_maps, e);
        if (!p_optional(p, TOK_COMMA)) break;
    }
    return p_expect(p, TOK_RBRACKET, "expected `,` or `]`");
}

static bool results(Parser *p, ClifInst i, ClifOp op) {
    ClifFunc *f = p->f;
    ClifType two[2];
    uint32_t n = clif_result_types(f, i, two, 2);
    const ClifSig *sig = clif_op_info[op].result_rule == CLIF_RES_SIG ? clif_call_sig(f, i) : NULL;
    if (n != p->results.n)
        return p_error(p, "instruction produces %u result values, %u given", n, p->results.n);
    for (uint32_t k = 0; k < n; k++)
        clif_define_result(f, i, sig ? f->abi_params.p[sig->returns + k].type : two[k],
                           (ClifValue){p->results.p[k]});
    return true;
}

bool p_instruction(Parser *p, uint32_t block, uint32_t srcloc) {
    ClifFunc *f = p->f;
    for (uint32_t k = 0; k < p->results.n; k++)
        if (!p_define_value(p, p->results.p[k])) return false;
    p_gather(p);
    if (p_peek(p) != TOK_IDENT) return p_error(p, "expected instruction opcode");
    Operands o = {.op = clif_op_parse(p->tok.text.p, p->tok.text.n)};
    if (o.op == CLIF_OP_INVALID)
        return p_error(p, "unknown opcode: '%.*s'",
                       (int)(p->tok.text.n < 100 ? p->tok.text.n : 100), p->tok.text.p);
    uint32_t line = p->tok.line;
    p_take(p);
    o.d.op = (uint8_t)o.op;
    if (!type_suffix(p, &o.given) || !operands(p, &o) || !controlling_type(p, &o) ||
        !stack_map(p, o.op))
        return false;
    ClifInst i = clif_make_inst(f, o.d);
    if (!results(p, i, o.op)) return false;
    clif_append_inst(f, i, (ClifBlock){block});
    f->srclocs.p[i.i] = srcloc;
    for (uint32_t k = 0; k < p->tags.n; k += 2)
        vec_push(f->mem, &f->debug_tags, (ClifDebugTag){i.i, p->tags.p[k], p->tags.p[k + 1]});
    vec_push(p->mem, &p->details->inst_line, line);
    p_claim(p, CLIF_ENTITY_INST, i.i);
    return true;
}

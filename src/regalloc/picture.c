/* regalloc/picture.c — a result as one HTML file with a drawing and nothing from outside: time runs down, one row for each
 * instruction and each inserted move; places stand side by side, registers in the order of preference, then slots.
 *
 *     loops │ instructions │ p0i │ p1i │ … │ stack0 │ …
 *
 * A box is a value in a place (a span of the checker), in the value's colour; a bar is its definition, a dot a use, an arrow a
 * move (stores red, reloads orange), a hatched cell a register that is destroyed. The pointer over a value marks all of it.
 * Cost: linear in the function and its spans. */
#include "regalloc/text.h"

#define NONE UINT32_MAX

enum {
    ROW = 18, /* heights and widths in pixels */
    EDIT_ROW = 12,
    HEAD_ROW = 22,
    COLUMN = 38,
    TEXT_CHARS = 84,
    CHAR = 6,
    LOOP = 7,
    MOST_ROWS = 20000
};

typedef struct Picture {
    Mem *mem;
    const RaFunc *f;
    const RaEnv *env;
    const RaOutput *out;
    StrBuf *sb;
    uint32_t *inst_y, *edit_y, *block_y; /* top of each row */
    uint32_t *slot_x;                    /* column of each slot, NONE = not used */
    uint32_t reg_x[64];
    uint32_t columns, loops, left, height;
} Picture;

/* ---- places on the paper ---- */
static uint32_t text_x(const Picture *p) {
    return p->loops * LOOP + 6;
}
static uint32_t column_x(const Picture *p, uint32_t column) {
    return p->left + column * COLUMN;
}

static uint32_t column_of(const Picture *p, RaAlloc a) {
    if (ra_is_reg(a)) return p->reg_x[ra_alloc_preg(a) & 63];
    if (ra_is_slot(a) && ra_alloc_slot_index(a) < p->out->num_slots)
        return p->slot_x[ra_alloc_slot_index(a)];
    return NONE;
}

static void want(Picture *p, RaAlloc a) { /* marked first, numbered by number_columns */
    if (ra_is_reg(a))
        p->reg_x[ra_alloc_preg(a) & 63] = 0;
    else if (ra_is_slot(a) && ra_alloc_slot_index(a) < p->out->num_slots)
        p->slot_x[ra_alloc_slot_index(a)] = 0;
}

static void number_columns(Picture *p, const RaSpans *spans) {
    memset(p->reg_x, 0xFF, sizeof p->reg_x);
    memset(p->slot_x, 0xFF, (p->out->num_slots + 1) * sizeof *p->slot_x);
    for (uint32_t k = 0; k < spans->n; k++) want(p, spans->p[k].place);
    for (uint32_t e = 0; e < p->out->num_edits; e++)
        want(p, p->out->edits[e].from), want(p, p->out->edits[e].to);
    for (uint32_t c = 0; c < RA_NUM_CLASSES; c++) {
        for (uint32_t k = 0; k < 32 && p->env->order[c][k] != RA_PREG_NONE; k++) {
            uint32_t *x = &p->reg_x[p->env->order[c][k]];
            if (*x != NONE) *x = p->columns++;
        }
        for (uint32_t r = 32 * c; r < 32 * c + 32; r++)
            if (p->reg_x[r] != NONE && !(p->env->allocatable >> r & 1)) p->reg_x[r] = p->columns++;
    }
    for (uint32_t s = 0; s < p->out->num_slots; s++)
        if (p->slot_x[s] != NONE) p->slot_x[s] = p->columns++;
}

static void lay_out(Picture *p) {
    const RaFunc *f = p->f;
    uint32_t y = 0, e = 0;
    for (uint32_t b = 0; b < f->num_blocks; b++) {
        p->block_y[b] = y;
        y += HEAD_ROW;
        for (uint32_t i = f->blocks[b].inst_start; i < f->blocks[b].inst_end; i++) {
            for (; e < p->out->num_edits && p->out->edits[e].point <= 2 * i; y += EDIT_ROW)
                p->edit_y[e++] = y;
            p->inst_y[i] = y;
            y += ROW;
            for (; e < p->out->num_edits && p->out->edits[e].point <= 2 * i + 1; y += EDIT_ROW)
                p->edit_y[e++] = y;
        }
        y += 6;
    }
    p->block_y[f->num_blocks] = p->height = y;
}

static uint32_t y_of(const Picture *p, uint32_t point, uint32_t edit, uint32_t block, bool end) {
    const RaBlock *rb = &p->f->blocks[block];
    if (edit != NONE) return p->edit_y[edit] + EDIT_ROW / 2;
    if (point >= 2 * rb->inst_end) return p->block_y[block + 1] - (end ? 3 : 0);
    if (!end && point == 2 * rb->inst_start) return p->block_y[block] + HEAD_ROW - 2;
    return p->inst_y[point / 2] + (point & 1 ? ROW / 2 : 0);
}

/* ---- pieces ---- */
static void put_vreg_text(Picture *p, RaVReg v) {
    ra_print_vreg(v, p->sb);
}

/* A colour that neighbours do not share: hues a golden angle apart. */
static void put_colour(StrBuf *sb, RaVReg v) {
    sb_printf(sb, "hsl(%u,70%%,%u%%)", ra_vreg_index(v) * 137u % 360,
              74 + ra_vreg_index(v) % 3 * 6);
}

static void put_head(Picture *p, const char *title) {
    StrBuf *sb = p->sb;
    char name[16];
    uint32_t width = column_x(p, p->columns) + 8;
    sb_puts(sb, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>");
    sb_puts(sb, title);
    sb_puts(sb,
            "</title><style>\n"
            "body{margin:0;font:12px system-ui,sans-serif;background:#fff;color:#222}\n"
            "h1{font-size:15px;margin:8px}p{margin:4px 8px}\n"
            "svg{display:block}text{font:10px ui-monospace,monospace;fill:#222}\n"
            ".head{position:sticky;top:0;background:#fff;border-bottom:1px solid #888;z-index:1}\n"
            ".head text,.b{font-weight:bold}.g{stroke:#e8e8e8}.k{fill:#eef1f6}\n"
            ".s{stroke:#555;stroke-width:.6}.on{stroke:#000;stroke-width:2.2}.e{fill:#777}\n"
            ".m{stroke:#247;stroke-width:1.4;fill:none;marker-end:url(#a)}\n"
            ".st{stroke:#c00}.re{stroke:#d70}.l{stroke:#79b;stroke-width:3;fill:none}\n"
            ".t{text-anchor:middle;pointer-events:none}.n{pointer-events:none}.d{fill:#000;pointer-"
            "events:none}\n"
            "</style></head><body>\n<h1>");
    sb_puts(sb, title);
    sb_printf(sb,
              "</h1><p>%u blocks, %u instructions, %u stores, %u reloads, %u moves between "
              "registers, %u slots. Box: a value in a place; bar: defined; dot: used; arrow: a "
              "move (<span style=\"color:#c00\">store</span>, <span "
              "style=\"color:#d70\">reload</span>); hatched: destroyed.</p>\n",
              p->f->num_blocks, p->f->num_insts, p->out->stats.stores, p->out->stats.reloads,
              p->out->stats.moves, p->out->num_slots);
    sb_printf(sb, "<div class=\"head\"><svg width=\"%u\" height=\"18\">", width);
    for (uint32_t r = 0; r < 64; r++)
        if (p->reg_x[r] != NONE)
            sb_printf(sb, "<text class=\"t\" x=\"%u\" y=\"13\">%s</text>",
                      column_x(p, p->reg_x[r]) + COLUMN / 2, ra_preg_default_name((RaPReg)r, name));
    for (uint32_t s = 0; s < p->out->num_slots; s++)
        if (p->slot_x[s] != NONE)
            sb_printf(sb, "<text class=\"t\" x=\"%u\" y=\"13\">s%u</text>",
                      column_x(p, p->slot_x[s]) + COLUMN / 2, s);
    sb_printf(sb,
              "</svg></div>\n<svg width=\"%u\" height=\"%u\"><defs>"
              "<marker id=\"a\" markerWidth=\"6\" markerHeight=\"6\" refX=\"5\" refY=\"3\" "
              "orient=\"auto\"><path d=\"M0 0L6 3L0 6z\" fill=\"context-stroke\"/></marker>"
              "<pattern id=\"x\" width=\"4\" height=\"4\" patternUnits=\"userSpaceOnUse\">"
              "<path d=\"M0 4L4 0\" stroke=\"#999\"/></pattern></defs>\n",
              width, p->height);
    for (uint32_t c = 0; c <= p->columns; c++)
        sb_printf(sb, "<path class=\"g\" d=\"M%u 0V%u\"/>", column_x(p, c), p->height);
    sb_putc(sb, '\n');
}

/* Text up to what fits, all of it as a tooltip. */
static void put_text(Picture *p, uint32_t y, const char *cls, StrBuf *text) {
    const char *t = sb_cstr(text);
    bool cut = text->n > TEXT_CHARS;
    sb_printf(p->sb, "<text class=\"%s\" x=\"%u\" y=\"%u\">", cls, text_x(p), y);
    sb_putn(p->sb, t, cut ? TEXT_CHARS - 1 : text->n);
    if (cut) sb_printf(p->sb, "…<title>%s</title>", t);
    sb_puts(p->sb, "</text>");
}

static void put_block(Picture *p, uint32_t b, StrBuf *text) {
    const RaFunc *f = p->f;
    const RaBlock *rb = &f->blocks[b];
    sb_printf(p->sb, "<rect class=\"k\" x=\"%u\" y=\"%u\" width=\"%u\" height=\"%u\"/>", text_x(p),
              p->block_y[b], column_x(p, p->columns) - text_x(p), HEAD_ROW - 2);
    sb_clear(text);
    sb_printf(text, "block%u", b);
    for (uint32_t k = rb->param_start; k < rb->param_end; k++) {
        sb_puts(text, k > rb->param_start ? ", " : "(");
        ra_print_vreg(f->params[k], text);
    }
    if (rb->param_end > rb->param_start) sb_putc(text, ')');
    for (uint32_t e = rb->succ_start; e < rb->succ_end; e++) {
        sb_printf(text, e > rb->succ_start ? ", block%u" : " → block%u", f->succs[e]);
        for (uint32_t k = f->edge_args[e]; k < f->edge_args[e + 1]; k++) {
            sb_puts(text, k > f->edge_args[e] ? ", " : "(");
            ra_print_vreg(f->branch_args[k], text);
        }
        if (f->edge_args[e + 1] > f->edge_args[e]) sb_putc(text, ')');
    }
    put_text(p, p->block_y[b] + 14, "b", text);
    sb_putc(p->sb, '\n');
}

static void put_inst(Picture *p, uint32_t i, uint32_t *clobber, StrBuf *text) {
    const RaFunc *f = p->f;
    sb_clear(text);
    sb_printf(text, "%u ", i);
    ra_print_flags(f->inst_flags[i], text);
    for (uint32_t o = f->op_start[i]; o < f->op_start[i + 1]; o++) {
        sb_puts(text, o > f->op_start[i] ? ", " : " ");
        ra_print_operand(f, o, text);
    }
    put_text(p, p->inst_y[i] + 12, "", text);
    for (; *clobber < f->num_clobbers && f->clobbers[*clobber].inst <= i; ++*clobber)
        for (RaPRegSet s = f->clobbers[*clobber].regs; s; s &= s - 1)
            if (p->reg_x[u64_ctz(s)] != NONE)
                sb_printf(p->sb,
                          "<rect fill=\"url(#x)\" x=\"%u\" y=\"%u\" width=\"%u\" height=\"%u\"/>",
                          column_x(p, p->reg_x[u64_ctz(s)]) + 1, p->inst_y[i] + ROW / 2, COLUMN - 2,
                          ROW / 2);
    sb_putc(p->sb, '\n');
}

static void put_span(Picture *p, const RaSpan *s, uint32_t block) {
    uint32_t y0 = y_of(p, s->from, s->from_edit, block, false),
             y1 = y_of(p, s->to, s->to_edit, block, true), x = column_of(p, s->place);
    if (x == NONE) return;
    if (y1 < y0 + 3) y1 = y0 + 3;
    x = column_x(p, x) + 2;
    uint32_t v = ra_vreg_index(s->vreg);
    sb_printf(p->sb,
              "<rect class=\"s\" data-v=\"%u\" x=\"%u\" y=\"%u\" width=\"%u\" height=\"%u\" "
              "fill=\"",
              v, x, y0, COLUMN - 4, y1 - y0);
    put_colour(p->sb, s->vreg);
    sb_puts(p->sb, "\"><title>");
    put_vreg_text(p, s->vreg);
    sb_puts(p->sb, " in ");
    ra_print_alloc(s->place, p->sb);
    sb_printf(p->sb, ", %u.%u to %u.%u</title></rect>", s->from / 2, s->from % 2 * 5,
              (s->to - 1) / 2, (s->to - 1) % 2 * 5);
    for (uint32_t y = y0; y1 - y >= 11 && y < y1; y += 400) { /* again where it is long */
        sb_printf(p->sb, "<text class=\"n\" x=\"%u\" y=\"%u\">", x + 2, y + 10);
        put_vreg_text(p, s->vreg);
        sb_puts(p->sb, "</text>");
        if (y1 - y < 400) break;
    }
    sb_putc(p->sb, '\n');
}

static void put_marks(Picture *p, uint32_t i) {
    const RaFunc *f = p->f;
    for (uint32_t o = f->op_start[i]; o < f->op_start[i + 1]; o++) {
        const RaOperand *op = &f->ops[o];
        uint32_t x = column_of(p, p->out->allocs[o]);
        if (op->constraint == RA_FIXED_NONALLOC || x == NONE) continue;
        uint32_t y = p->inst_y[i] + (op->pos == RA_LATE ? ROW / 2 : 0);
        if (op->kind == RA_DEF)
            sb_printf(p->sb, "<rect class=\"d\" x=\"%u\" y=\"%u\" width=\"%u\" height=\"2\"/>",
                      column_x(p, x) + 2, y, COLUMN - 4);
        else
            sb_printf(p->sb, "<circle class=\"d\" cx=\"%u\" cy=\"%u\" r=\"2.5\"/>",
                      column_x(p, x) + COLUMN - 6, y + ROW / 4);
    }
    sb_putc(p->sb, '\n');
}

static void put_edit(Picture *p, uint32_t e) {
    const RaEdit *ed = &p->out->edits[e];
    uint32_t from = column_of(p, ed->from), to = column_of(p, ed->to),
             y = p->edit_y[e] + EDIT_ROW / 2;
    sb_printf(p->sb, "<text class=\"e\" x=\"%u\" y=\"%u\">", text_x(p) + 30, y + 4);
    ra_print_alloc(ed->to, p->sb);
    sb_puts(p->sb, " = ");
    ra_print_alloc(ed->from, p->sb);
    sb_puts(p->sb, "  ");
    put_vreg_text(p, ed->vreg);
    sb_puts(p->sb, "</text>");
    if (from == NONE || to == NONE || from == to) return;
    const char *kind = ra_is_slot(ed->to) ? " st" : ra_is_slot(ed->from) ? " re" : "";
    sb_printf(p->sb, "<path class=\"m%s\" d=\"M%u %uH%u\"/>\n", kind,
              column_x(p, from) + COLUMN / 2, y,
              to > from ? column_x(p, to) + 5 : column_x(p, to) + COLUMN - 5);
}

/* Edges that go back, as brackets at the left, inner ones mostly nearer to the text. */
static void put_loops(Picture *p) {
    const RaFunc *f = p->f;
    uint32_t lane = 0;
    for (uint32_t b = 0; b < f->num_blocks; b++)
        for (uint32_t e = f->blocks[b].succ_start; e < f->blocks[b].succ_end; e++) {
            if (f->succs[e] > b) continue;
            uint32_t x = 4 + (p->loops - 1 - lane++ % p->loops) * LOOP;
            sb_printf(p->sb,
                      "<path class=\"l\" d=\"M%u %uH%uV%uH%u\"><title>block%u to "
                      "block%u</title></path>\n",
                      x + 4, p->block_y[b + 1] - 8, x, p->block_y[f->succs[e]] + 8, x + 4, b,
                      f->succs[e]);
        }
}

static void put_all(Picture *p, const RaSpans *spans, const char *title) {
    const RaFunc *f = p->f;
    StrBuf text;
    sb_init(&text, p->mem);
    put_head(p, title);
    put_loops(p);
    uint32_t *block_of = mem_alloc(p->mem, (f->num_insts + 1) * sizeof *block_of), cl = 0;
    for (uint32_t b = 0; b < f->num_blocks; b++) {
        put_block(p, b, &text);
        for (uint32_t i = f->blocks[b].inst_start; i < f->blocks[b].inst_end; i++) {
            block_of[i] = b;
            put_inst(p, i, &cl, &text);
        }
    }
    for (uint32_t k = 0; k < spans->n; k++)
        put_span(p, &spans->p[k], block_of[spans->p[k].from / 2]);
    for (uint32_t i = 0; i < f->num_insts; i++) put_marks(p, i);
    for (uint32_t e = 0; e < p->out->num_edits; e++) put_edit(p, e);
    sb_puts(p->sb,
            "</svg>\n<script>\n"
            "let on=[];document.querySelector('svg:last-of-type').addEventListener('mouseover',e=>{"
            "on.forEach(x=>x.classList.remove('on'));const v=e.target.dataset.v;"
            "on=v===undefined?[]:[...document.querySelectorAll('[data-v=\"'+v+'\"]')];"
            "on.forEach(x=>x.classList.add('on'))});\n</script>\n</body></html>\n");
    mem_free(p->mem, block_of, (f->num_insts + 1) * sizeof *block_of);
    sb_free(&text);
}

bool ra_picture(Mem *m, const RaFunc *f, const RaEnv *env, const RaOutput *out,
                const RaSpans *spans, const char *title, StrBuf *sb, Diag *d) {
    uint64_t rows = (uint64_t)f->num_insts + f->num_blocks + out->num_edits;
    if (rows > MOST_ROWS)
        return diag_msg(d, DIAG_LIMIT, "a picture of %llu rows is too large; at most %u are drawn",
                        (unsigned long long)rows, MOST_ROWS);
    Picture p = {.mem = m, .f = f, .env = env, .out = out, .sb = sb};
    size_t words = (size_t)rows + out->num_slots + 4;
    uint32_t *w = mem_alloc(m, words * sizeof *w);
    p.inst_y = w;
    p.edit_y = p.inst_y + f->num_insts + 1;
    p.block_y = p.edit_y + out->num_edits;
    p.slot_x = p.block_y + f->num_blocks + 1;
    for (uint32_t b = 0; b < f->num_blocks; b++)
        for (uint32_t e = f->blocks[b].succ_start; e < f->blocks[b].succ_end; e++)
            p.loops += f->succs[e] <= b;
    if (p.loops > 12) p.loops = 12;
    p.left = text_x(&p) + TEXT_CHARS * CHAR;
    number_columns(&p, spans);
    lay_out(&p);
    put_all(&p, spans, title);
    mem_free(m, w, words * sizeof *w);
    return true;
}

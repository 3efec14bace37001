/* driver/list_image.c — the code of an image as annotated assembly.
 *
 * Idea        The image knows functions, adapters by their beginnings, traps, places in the module, and the routines whose addresses
 *             lie in the slots behind the code. Sorted by address, the pieces' ends are the next one's beginning, without the filling
 *             between them.
 * Cost        linear, times the look-ups' logarithms. */
#include <stdlib.h>
#include "driver/asm.h"
#include "driver/listing.h"
#include "dwarf/dwarf.h"
#include "image/routine.h"
#include "base/bisect.h"

typedef enum PieceKind { PIECE_FUNC, PIECE_ENTRY, PIECE_HOST } PieceKind;
typedef struct Piece {
    uint32_t off, end, kind, index;
} Piece;

typedef struct Lister {
    Mem mem;
    const Image *img;
    const uint8_t *module;
    size_t size;
    Dwarf *source; /* NULL: nothing is known of it */
    VEC(Piece) pieces;
    uint32_t loc; /* told last */
} Lister;

static int by_offset(const void *x, const void *y) {
    const Piece *a = x, *b = y;
    return a->off != b->off ? (a->off < b->off ? -1 : 1) : (int)a->kind - (int)b->kind;
}

static void add_pieces(Lister *l) {
    const Image *img = l->img;
    uint32_t n = 0, code = (uint32_t)img->h->code_size;
    for (uint32_t k = 0; k < img->ncodes; k++) { /* a table that is not checked when it is opened */
        ImgCode at = img->codes[k];
        if (at.off <= code && at.size <= code - at.off)
            vec_push(&l->mem, &l->pieces, (Piece){at.off, at.off + at.size, PIECE_FUNC, k});
    }
    for (uint32_t k = 0; k < img->ntypes; k++) {
        vec_push(&l->mem, &l->pieces, (Piece){img->types[k].entry, 0, PIECE_ENTRY, k});
        vec_push(&l->mem, &l->pieces, (Piece){img->types[k].host, 0, PIECE_HOST, k});
    }
    if (l->pieces.n) qsort(l->pieces.p, l->pieces.n, sizeof *l->pieces.p, by_offset);
    for (uint32_t k = 0; k < l->pieces.n; k++) { /* types of equal shape share their adapters */
        Piece p = l->pieces.p[k];
        if (n && l->pieces.p[n - 1].off == p.off && p.kind != PIECE_FUNC) continue;
        l->pieces.p[n++] = p;
    }
    l->pieces.n = n;
    for (uint32_t k = 0; k < n; k++) {
        Piece *p = &l->pieces.p[k];
        if (p->kind == PIECE_FUNC) continue;
        p->end = k + 1 < n ? p[1].off : code;
        while (p->end > p->off && img->code[p->end - 1] == 0xCC) p->end--;
    }
}

static void put_piece_name(const Lister *l, const Piece *p, StrBuf *o) {
    if (p->kind == PIECE_FUNC)
        img_print_func_name(l->img, l->img->h->imported_funcs + p->index, o);
    else
        sb_printf(o, "%s[type %u]", p->kind == PIECE_ENTRY ? "entry" : "host", p->index);
}

/* ---- what the listing asks ---- */
static void before(void *user, uint64_t at, StrBuf *o) {
    enum { MOST = 16 };
    Lister *l = user;
    DwarfPlace p[MOST];
    uint32_t loc = img_find_loc(l->img, (uint32_t)at);
    if (loc == l->loc) return;
    l->loc = loc;
    if (loc == IMG_NONE) return;
    sb_printf(o, "    ; 0x%x", loc);
    const char *op =
        l->module && loc < l->size ? wasm_operator_name(l->module + loc, l->size - loc) : NULL;
    if (op) sb_printf(o, " %s", op);
    uint32_t base = l->img->h->wasm_code;
    uint32_t n = l->source && loc >= base ? dwarf_find(l->source, loc - base, p, MOST) : 0;
    for (uint32_t k = 0; k < n; k++) {
        sb_puts(o, k ? ", in " : "  ");
        if (n > 1) {
            dwarf_put_text(p[k].function, o);
            sb_puts(o, " at ");
        }
        dwarf_put_position(&p[k], o);
    }
    sb_putc(o, '\n');
}

static void about(void *user, uint64_t at, uint64_t end, StrBuf *o) {
    const Lister *l = user;
    (void)end;
    VmTrap t = img_find_trap(l->img, (uint32_t)at);
    if (t == VM_TRAP_NONE) return;
    asm_note(o);
    sb_printf(o, "trap: %s", rt_trap_message(t));
}

static bool name(void *user, uint64_t at, uint64_t end, uint64_t place, StrBuf *o) {
    const Lister *l = user;
    uint64_t slots = (l->img->h->code_size + IMG_PAGE - 1) / IMG_PAGE * IMG_PAGE;
    (void)at, (void)end;
    if (place >= slots && (place - slots) % 8 == 0 && (place - slots) / 8 < l->img->nroutines) {
        const char *routine = img_routine_symbol(l->img->routines[(place - slots) / 8]);
        if (routine) sb_puts(o, routine);
        return routine != NULL;
    }
    uint32_t lo;
    bisect(lo, l->pieces.n, l->pieces.p[lo].off < place);
    if (lo == l->pieces.n || l->pieces.p[lo].off != place) return false;
    put_piece_name(l, &l->pieces.p[lo], o);
    return true;
}

static bool is_wanted(const Lister *l, const Piece *p, Wanted *w) {
    if (p->kind != PIECE_FUNC) return wanted_matches(w, NO_NUMBER, "", 0);
    uint32_t f = l->img->h->imported_funcs + p->index;
    WasmStr s = f < l->img->nnames ? img_str(l->img, l->img->names[f]) : (WasmStr){NULL, 0};
    return wanted_matches(w, f, s.p ? s.p : "", s.p ? s.n : 0);
}

static void list_piece(Lister *l, const Piece *p) {
    StrBuf o;
    sb_init(&o, &l->mem);
    put_piece_name(l, p, &o);
    if (p->kind == PIECE_FUNC)
        sb_printf(&o, " (function %u)", l->img->h->imported_funcs + p->index);
    sb_puts(&o, ":\n");
    l->loc = IMG_NONE;
    AsmCode c = {.isa = isa_host(),
                 .bytes = l->img->code + p->off,
                 .address = p->off,
                 .size = p->end - p->off,
                 .user = l,
                 .before = before,
                 .about = about,
                 .name = name};
    asm_print(&l->mem, &c, &o);
    sb_putc(&o, '\n');
    fwrite(sb_cstr(&o), 1, o.n, stdout);
    sb_free(&o);
}

void list_image(const Image *img, const uint8_t *module, size_t size, Wanted *w) {
    Lister l = {.img = img, .module = module, .size = size};
    DwarfInput in;
    memset(&in, 0, sizeof in);
    command_mem(&l.mem);
    for (uint32_t k = 0; k < img->nsource; k++)
        if (img->source[k].kind < DWARF_SECTION_COUNT)
            in.s[img->source[k].kind] =
                (DwarfBytes){img->bytes + img->source[k].off, img->source[k].n};
    l.source = img->nsource ? dwarf_open(&l.mem, &in) : NULL;
    add_pieces(&l);
    for (uint32_t k = 0; k < l.pieces.n; k++)
        if (is_wanted(&l, &l.pieces.p[k], w)) list_piece(&l, &l.pieces.p[k]);
    mem_release_all(&l.mem);
}

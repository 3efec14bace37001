/* image/codemap.c — see codemap.h. */
#include "image/codemap.h"
#include "base/bisect.h"

static uint8_t *put(uint8_t *p, uint64_t x) {
    for (; x >= 0x80; x >>= 7) *p++ = (uint8_t)(x | 0x80);
    *p++ = (uint8_t)x;
    return p;
}

void codemap_add(CodemapWriter *w, uint32_t key, uint32_t value) {
    COT_DASSERT(!w->n || key >= w->key);
    if (w->n++ % CODEMAP_BLOCK == 0) {
        vec_push(w->mem, &w->index, (ImgBlock){key, value, w->bytes.n});
        if (value == IMG_NONE) value = 0; /* as the reader starts */
    } else {
        vec_reserve(w->mem, &w->bytes, (uint64_t)w->bytes.n + 16);
        uint8_t *p = put(w->bytes.p + w->bytes.n, key - w->key);
        if (value == IMG_NONE) {
            *p++ = 0;
            value = w->value;
        } else {
            int64_t delta = (int64_t)value - (int64_t)w->value;
            p = put(p, 1 + ((uint64_t)delta << 1 ^ (uint64_t)(delta >> 63)));
        }
        w->bytes.n = (uint32_t)(p - w->bytes.p);
    }
    w->key = key;
    w->value = value;
}

void codemap_clear(CodemapWriter *w) {
    vec_clear(&w->index);
    vec_clear(&w->bytes);
    w->n = 0;
}

void codemap_free(CodemapWriter *w) {
    vec_free(w->mem, &w->index);
    vec_free(w->mem, &w->bytes);
}

void codemap_copy(const Codemap *m, uint32_t by, ImgBlock *index, uint8_t *bytes, uint32_t at) {
    for (uint32_t k = 0; k < m->n; k++)
        index[k] = (ImgBlock){m->index[k].key + by, m->index[k].value, m->index[k].at + at};
    if (m->size) memcpy(bytes, m->bytes, m->size);
}

static bool get(const uint8_t **p, const uint8_t *end, uint64_t *x) {
    *x = 0;
    for (unsigned shift = 0; *p < end && shift < 64; shift += 7) {
        uint8_t b = *(*p)++;
        *x |= (uint64_t)(b & 0x7F) << shift;
        if (b < 0x80) return true;
    }
    return false;
}

/* The rest of block k. */
static void enter(CodemapWalk *w, uint32_t k) {
    const Codemap *m = w->map;
    const ImgBlock *b = &m->index[k];
    w->p = w->end = NULL;
    if (m->size) {
        uint32_t end = k + 1 < m->n && b[1].at < m->size ? b[1].at : m->size;
        w->p = m->bytes + (b->at < end ? b->at : end);
        w->end = m->bytes + end;
    }
    w->key = b->key;
    w->value = b->value;
    w->last = b->value == IMG_NONE ? 0 : b->value;
    w->block = k + 1;
}

static bool next_in_block(CodemapWalk *w) {
    uint64_t dk, dv;
    if (!get(&w->p, w->end, &dk) || !get(&w->p, w->end, &dv)) return false;
    w->key += (uint32_t)dk;
    w->value = IMG_NONE;
    if (!dv) return true;
    dv--;
    w->last += (uint32_t)(dv >> 1 ^ (0 - (dv & 1)));
    w->value = w->last;
    return true;
}

bool codemap_next(CodemapWalk *w) {
    if (w->p < w->end && next_in_block(w)) return true;
    if (w->block == w->map->n) return false;
    enter(w, w->block);
    return true;
}

uint32_t codemap_find(const Codemap *m, uint32_t key, uint32_t *at) {
    uint32_t lo;
    bisect(lo, m->n, m->index[lo].key <= key);
    if (!lo) return IMG_NONE;
    CodemapWalk w = {.map = m};
    enter(&w, lo - 1);
    uint32_t found, here;
    do {
        found = w.value;
        here = w.key;
    } while (next_in_block(&w) && w.key <= key);
    if (at) *at = here;
    return found;
}

/* image/codemap.c — see codemap.h. */
#include "image/codemap.h"

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

void codemap_free(CodemapWriter *w) {
    vec_free(w->mem, &w->index);
    vec_free(w->mem, &w->bytes);
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

uint32_t codemap_find(const Codemap *m, uint32_t key, uint32_t *at) {
    uint32_t lo = 0, hi = m->n;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (m->index[mid].key <= key)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (!lo) return IMG_NONE;
    const ImgBlock *b = &m->index[lo - 1];
    uint32_t here = b->key, found = b->value, value = found == IMG_NONE ? 0 : found;
    if (at) *at = here;
    const uint8_t *p = m->bytes + (b->at < m->size ? b->at : m->size);
    const uint8_t *end = m->bytes + m->size;
    for (uint32_t k = 1; k < CODEMAP_BLOCK; k++) {
        uint64_t dk, dv;
        if (!get(&p, end, &dk) || !get(&p, end, &dv)) break;
        bool known = dv != 0;
        here += (uint32_t)dk;
        if (here > key) break;
        if (dv) {
            dv--;
            value += (uint32_t)(dv >> 1 ^ (0 - (dv & 1)));
        }
        found = known ? value : IMG_NONE;
        if (at) *at = here;
    }
    return found;
}

/* clif/numtext.c — numbers as text: integers of any width, IEEE numbers in hexadecimal, constants as bytes.
 *
 * IEEE numbers are read and written exactly, bit for bit: a sign, the significand in hexadecimal, a binary exponent;
 * NaNs with their payload. 128-bit arithmetic is on two words. Cost: linear in the digits. */
#include "clif/text.h"

typedef struct Wide {
    uint64_t lo, hi;
} Wide;
static Wide wide_shl(Wide x, unsigned k) {
    if (k >= 128) return (Wide){0, 0};
    if (k >= 64) return (Wide){0, x.lo << (k - 64)};
    return k ? (Wide){x.lo << k, x.hi << k | x.lo >> (64 - k)} : x;
}
static Wide wide_shr(Wide x, unsigned k) {
    if (k >= 128) return (Wide){0, 0};
    if (k >= 64) return (Wide){x.hi >> (k - 64), 0};
    return k ? (Wide){x.lo >> k | x.hi << (64 - k), x.hi >> k} : x;
}
static bool wide_low_bits_set(Wide x, unsigned k) {
    Wide y = wide_shl(x, 128 - k);
    return k && (y.lo | y.hi);
}
static Wide wide_neg(Wide x) {
    return (Wide){0 - x.lo, ~x.hi + (x.lo == 0)};
}

static int hex_digit(int c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/* ---- slices ---- */
bool clif_str_is(ClifStr s, const char *z) {
    return strlen(z) == s.n && !memcmp(s.p, z, s.n);
}

static bool blank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f' || c == '\v';
}

ClifStr clif_str_trim(ClifStr s) {
    while (s.n && blank(s.p[0])) s.p++, s.n--;
    while (s.n && blank(s.p[s.n - 1])) s.n--;
    return s;
}

bool clif_str_word(ClifStr *s, ClifStr *w) {
    *s = clif_str_trim(*s);
    uint32_t n = 0;
    while (n < s->n && !blank(s->p[n])) n++;
    *w = (ClifStr){s->p, n};
    s->p += n;
    s->n -= n;
    return n > 0;
}

static bool starts(ClifStr s, const char *z) {
    size_t n = strlen(z);
    return s.n >= n && !memcmp(s.p, z, n);
}
static ClifStr skip(ClifStr s, uint32_t n) {
    return (ClifStr){s.p + n, s.n - n};
}

/* ---- integers ---- */
const char *clif_parse_u64(ClifStr s, uint64_t *out) {
    bool hex = starts(s, "0x");
    unsigned digits = 0;
    uint64_t x = 0;
    for (uint32_t k = hex ? 2 : 0; k < s.n; k++) {
        if (s.p[k] == '_') continue;
        int v = hex_digit(s.p[k]);
        if (v < 0 || (!hex && v > 9))
            return hex ? "invalid character in hexadecimal number"
                       : "invalid character in decimal number";
        digits++;
        if (hex) {
            if (digits > 16) return "too many hexadecimal digits";
            x = x << 4 | (unsigned)v;
        } else {
            if (x > UINT64_MAX / 10 || x * 10 > UINT64_MAX - (unsigned)v)
                return "too large decimal number";
            x = x * 10 + (unsigned)v;
        }
    }
    if (!digits) return "no digits in number";
    *out = x;
    return NULL;
}

const char *clif_parse_i64(ClifStr s, int64_t *out) {
    bool neg = s.n && s.p[0] == '-';
    if (neg || (s.n && s.p[0] == '+')) s = skip(s, 1);
    uint64_t x;
    const char *e = clif_parse_u64(s, &x);
    if (e) return e;
    if (neg && x > (uint64_t)1 << 63) return "negative number too small";
    *out = (int64_t)(neg ? 0 - x : x);
    return NULL;
}

const char *clif_parse_int(ClifStr s, unsigned bits, uint64_t out[2]) {
    bool neg = s.n && s.p[0] == '-';
    if (neg || (s.n && s.p[0] == '+')) s = skip(s, 1);
    bool hex = starts(s, "0x");
    if (hex) s = skip(s, 2);
    Wide x = {0, 0};
    unsigned digits = 0;
    for (uint32_t k = 0; k < s.n; k++) {
        if (s.p[k] == '_' && (hex || bits == 64)) continue;
        int v = hex_digit(s.p[k]);
        if (v < 0 || (!hex && v > 9))
            return hex ? "expected hexadecimal immediate" : "expected decimal immediate";
        digits++;
        /* x * base + v, watching what leaves at the top */
        Wide t = hex ? wide_shl(x, 4) : wide_shl(x, 3), u = hex ? (Wide){0, 0} : wide_shl(x, 1);
        bool lost = hex ? x.hi >> 60 : x.hi >> 61;
        Wide sum = {t.lo + u.lo, t.hi + u.hi + (t.lo + u.lo < t.lo)};
        lost |= sum.hi < t.hi;
        x = (Wide){sum.lo + (unsigned)v, sum.hi + (sum.lo + (unsigned)v < sum.lo)};
        lost |= x.hi < sum.hi;
        Wide over = wide_shr(x, bits);
        if (lost || over.lo | over.hi) return "number too large for its type";
    }
    if (!digits) return "no digits in number";
    if (neg) {
        Wide top = wide_shl((Wide){1, 0}, bits - 1);
        if (x.hi > top.hi || (x.hi == top.hi && x.lo > top.lo)) return "negative number too small";
        x = wide_neg(x);
        x = wide_shr(wide_shl(x, 128 - bits), 128 - bits);
    }
    out[0] = x.lo;
    out[1] = x.hi;
    return NULL;
}

const char *clif_parse_offset32(ClifStr s, int32_t *out) {
    int64_t x;
    if (!s.n || (s.p[0] != '-' && s.p[0] != '+')) return "offset must begin with sign";
    const char *e = clif_parse_i64(s, &x);
    if (e) return e;
    if (x < INT32_MIN || x > INT32_MAX) return "offset out of range";
    *out = (int32_t)x;
    return NULL;
}

const char *clif_parse_hex_bytes(ClifStr s, uint8_t out[CLIF_MAX_CONST_BYTES], uint32_t *n) {
    if (s.n <= 2 || !starts(s, "0x")) return "expected a hexadecimal string, e.g. 0x1234";
    uint32_t digits = 0;
    for (uint32_t k = 2; k < s.n; k++) digits += s.p[k] != '_';
    if (!digits) return "hexadecimal string must have some digits";
    if (digits % 2) return "hexadecimal string must have an even number of digits";
    if (digits > 2 * CLIF_MAX_CONST_BYTES) return "hexadecimal string has too many digits";
    *n = digits / 2;
    memset(out, 0, CLIF_MAX_CONST_BYTES);
    for (uint32_t k = 2; k < s.n; k++) {
        if (s.p[k] == '_') continue;
        int v = hex_digit(s.p[k]);
        if (v < 0) return "unable to parse as hexadecimal";
        digits--;
        out[digits / 2] |= (uint8_t)(v << (digits % 2 ? 4 : 0));
    }
    return NULL;
}

/* ---- IEEE numbers ---- */
typedef struct Ieee {
    unsigned e, t; /* bits of exponent and of stored significand */
} Ieee;
static Ieee ieee_format(unsigned bits) {
    switch (bits) {
    case 16: return (Ieee){5, 10};
    case 32: return (Ieee){8, 23};
    case 64: return (Ieee){11, 52};
    default: return (Ieee){15, 112};
    }
}

static const char *finish(Wide x, uint64_t out[2]) {
    out[0] = x.lo;
    out[1] = x.hi;
    return NULL;
}
static Wide wide_or(Wide a, Wide b) {
    return (Wide){a.lo | b.lo, a.hi | b.hi};
}

static const char *parse_nan(ClifStr s, bool quiet, Wide base, Ieee f, uint64_t out[2]) {
    Wide x = {0, 0}, q = wide_shl((Wide){1, 0}, f.t - 1);
    const char *bad = quiet ? "invalid NaN payload" : "invalid sNaN payload";
    if (!s.n || s.n > 32) return bad;
    for (uint32_t k = 0; k < s.n; k++) {
        int v = hex_digit(s.p[k]);
        if (v < 0) return bad;
        x = wide_shl(x, 4);
        x.lo |= (unsigned)v;
    }
    Wide over = wide_shr(x, f.t - 1);
    if (over.lo | over.hi || (!quiet && !(x.lo | x.hi))) return bad;
    x = wide_or(x, base);
    return finish(quiet ? wide_or(x, q) : x, out);
}

static const char *parse_exponent(ClifStr s, int *out) {
    bool neg = s.n && s.p[0] == '-';
    if (neg || (s.n && s.p[0] == '+')) s = skip(s, 1);
    int x = 0;
    if (!s.n) return "bad exponent";
    for (uint32_t k = 0; k < s.n; k++) {
        if (s.p[k] < '0' || s.p[k] > '9') return "bad exponent";
        x = x * 10 + (s.p[k] - '0');
        if (x > INT16_MAX + neg) return "bad exponent";
    }
    *out = neg ? -x : x;
    return NULL;
}

static const char *parse_hex_float(ClifStr s, Wide sign, Ieee f, uint64_t out[2]) {
    Wide sig = {0, 0};
    unsigned digits = 0, before = 0;
    bool point = false;
    int exponent = 0;
    for (uint32_t k = 0; k < s.n; k++) {
        if (s.p[k] == '.') {
            if (point) return "multiple radix points";
            point = true;
            before = digits;
        } else if (s.p[k] == 'p') {
            const char *e = parse_exponent(skip(s, k + 1), &exponent);
            if (e) return e;
            break;
        } else {
            int v = hex_digit(s.p[k]);
            if (v < 0) return "invalid character";
            if (++digits > 32) return "too many digits";
            sig = wide_shl(sig, 4);
            sig.lo |= (unsigned)v;
        }
    }
    if (!digits) return "no digits";
    if (!(sig.lo | sig.hi)) return finish(sign, out);
    if (point) exponent -= 4 * (int)(digits - before);
    unsigned have =
        sig.hi ? 128 - (unsigned)__builtin_clzll(sig.hi) : 64 - (unsigned)__builtin_clzll(sig.lo);
    if (have > f.t + 1) { /* bring the leading one to bit t */
        unsigned by = have - (f.t + 1);
        if (wide_low_bits_set(sig, by)) return "too many significant bits";
        sig = wide_shr(sig, by);
        exponent += (int)by;
    } else {
        sig = wide_shl(sig, f.t + 1 - have);
        exponent -= (int)(f.t + 1 - have);
    }
    int max_exp = (1 << f.e) - 2, bias = (1 << (f.e - 1)) - 1;
    exponent += bias + (int)f.t;
    if (exponent > max_exp) return "magnitude too large";
    if (exponent > 0) {
        sig = wide_shr(wide_shl(sig, 128 - f.t), 128 - f.t);
        return finish(wide_or(wide_or(sign, wide_shl((Wide){(unsigned)exponent, 0}, f.t)), sig),
                      out);
    }
    if (1 - exponent > (int)f.t) return "magnitude too small";
    if (wide_low_bits_set(sig, (unsigned)(1 - exponent))) return "subnormal underflow";
    return finish(wide_or(sign, wide_shr(sig, (unsigned)(1 - exponent))), out);
}

const char *clif_parse_float(ClifStr s, unsigned bits, uint64_t out[2]) {
    Ieee f = ieee_format(bits);
    bool neg = s.n && s.p[0] == '-';
    Wide sign = neg ? wide_shl((Wide){1, 0}, bits - 1) : (Wide){0, 0};
    if (neg || (s.n && s.p[0] == '+')) s = skip(s, 1);
    if (starts(s, "0x")) return parse_hex_float(skip(s, 2), sign, f, out);
    Wide max = wide_or(sign, wide_shl((Wide){((uint64_t)1 << f.e) - 1, 0}, f.t));
    if (clif_str_is(s, "0.0")) return finish(sign, out);
    if (clif_str_is(s, "Inf")) return finish(max, out);
    if (clif_str_is(s, "NaN")) return finish(wide_or(max, wide_shl((Wide){1, 0}, f.t - 1)), out);
    if (starts(s, "NaN:0x")) return parse_nan(skip(s, 6), true, max, f, out);
    if (starts(s, "sNaN:0x")) return parse_nan(skip(s, 7), false, max, f, out);
    return "float must be hexadecimal";
}

static void put_digits(StrBuf *o, Wide x, unsigned digits) {
    while (digits-- > 0) sb_putc(o, "0123456789abcdef"[wide_shr(x, 4 * digits).lo & 15]);
}

/* 0x1.8000p-3, +Inf, -NaN:0x1. */
void clif_print_float(StrBuf *o, unsigned bits, uint64_t lo, uint64_t hi) {
    Ieee f = ieee_format(bits);
    Wide x = {lo, hi}, frac = wide_shr(wide_shl(x, 128 - f.t), 128 - f.t);
    uint64_t max = ((uint64_t)1 << f.e) - 1, exp = wide_shr(x, f.t).lo & max;
    bool negative = wide_shr(x, bits - 1).lo & 1, zero = !(frac.lo | frac.hi);
    int bias = (1 << (f.e - 1)) - 1;
    unsigned digits = (f.t + 3) / 4;
    if (negative) sb_putc(o, '-');
    if (exp == max) {
        if (!negative) sb_putc(o, '+');
        if (zero) {
            sb_puts(o, "Inf");
            return;
        }
        bool quiet = wide_shr(frac, f.t - 1).lo & 1;
        Wide payload = wide_shr(wide_shl(frac, 129 - f.t), 129 - f.t);
        sb_puts(o, quiet ? "NaN" : "sNaN");
        if (quiet && !(payload.lo | payload.hi)) return;
        sb_puts(o, ":0x");
        while (digits > 1 && !(wide_shr(payload, 4 * (digits - 1)).lo & 15)) digits--;
        put_digits(o, payload, digits);
        return;
    }
    if (exp == 0 && zero) {
        sb_puts(o, "0.0");
        return;
    }
    sb_puts(o, exp ? "0x1." : "0x0.");
    put_digits(o, wide_shl(frac, 4 * digits - f.t), digits);
    sb_printf(o, "p%d", exp ? (int)exp - bias : 1 - bias);
}

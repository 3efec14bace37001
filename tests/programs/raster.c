/* Drawing into a bitmap with integers: lines, circles, flood fill, scan-converted polygons, dithering, scaling, rotation in fixed point, convolution,
 * quantisation by median cut, colour spaces. */
#include "prog.h"

enum { W = 96, H = 48 };
static uint8_t px[H][W];
static void set(int x, int y, int c) { if (x >= 0 && x < W && y >= 0 && y < H) px[y][x] = (uint8_t)c; }
static void line(int x0, int y0, int x1, int y1, int c) {
    int dx = abs(x1 - x0), dy = -abs(y1 - y0), sx = x0 < x1 ? 1 : -1, sy = y0 < y1 ? 1 : -1, e = dx + dy;
    for (;;) { set(x0, y0, c); if (x0 == x1 && y0 == y1) return; int e2 = 2 * e; if (e2 >= dy) e += dy, x0 += sx; if (e2 <= dx) e += dx, y0 += sy; }
}
static void circle(int cx, int cy, int r, int c) {
    for (int x = r, y = 0, e = 1 - r; x >= y; y++) {
        for (int k = 0; k < 8; k++) { int u = k & 1 ? y : x, v = k & 1 ? x : y; set(cx + (k & 2 ? -u : u), cy + (k & 4 ? -v : v), c); }
        e += e < 0 ? 2 * y + 3 : 2 * (y - --x) + 5;
    }
}
static int flood(int x, int y, int c) {
    static int16_t stack[W * H * 4][2];
    int n = 0, from = px[y][x], filled = 0;
    stack[n][0] = (int16_t)x, stack[n++][1] = (int16_t)y;
    while (n) {
        x = stack[--n][0], y = stack[n][1];
        if (x < 0 || y < 0 || x >= W || y >= H || px[y][x] != from || from == c) continue;
        px[y][x] = (uint8_t)c, filled++;
        for (int k = 0; k < 4; k++) stack[n][0] = (int16_t)(x + (k == 0) - (k == 1)), stack[n++][1] = (int16_t)(y + (k == 2) - (k == 3));
    }
    return filled;
}
static void polygon(const int (*p)[2], int n, int c) {
    for (int y = 0; y < H; y++) {
        int at[16], m = 0;
        for (int i = 0, j = n - 1; i < n; j = i++) if ((p[i][1] > y) != (p[j][1] > y)) at[m++] = p[i][0] + (y - p[i][1]) * (p[j][0] - p[i][0]) / (p[j][1] - p[i][1]);
        for (int i = 1; i < m; i++) for (int j = i; j && at[j - 1] > at[j]; j--) { int t = at[j]; at[j] = at[j - 1], at[j - 1] = t; }
        for (int i = 0; i + 1 < m; i += 2) for (int x = at[i]; x < at[i + 1]; x++) set(x, y, c);
    }
}
static void show_bitmap(const char *name) {
    for (int y = 0; y < H; y += 2) { for (int x = 0; x < W; x++) putchar(" .:-=+*#"[px[y][x] & 7]), mix_byte(px[y][x]); putchar('\n'); }
    show(name);
}
int main(void) {
    for (int i = 0; i < 12; i++) line(W / 2, H / 2, i * 9, i & 1 ? 0 : H - 1, 1 + i % 6);
    for (int r = 2; r < 40; r += 9) circle(W / 2, H / 2, r, r % 7 + 1);
    int filled = flood(1, 1, 3);
    printf("filled %d\n", filled);
    show_bitmap("lines");
    static const int star[][2] = {{48, 2}, {58, 40}, {20, 14}, {76, 14}, {38, 40}};
    memset(px, 0, sizeof px), polygon(star, 5, 7);
    show_bitmap("star");
    static int grey[H][W + 2];
    for (int y = 0; y < H; y++) for (int x = 0; x < W; x++) grey[y][x] = (x * 255 / W + y * 255 / H) / 2;
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) {
            int old = grey[y][x], new = old < 128 ? 0 : 255, e = old - new;
            px[y][x] = new ? 7 : 0;
            grey[y][x + 1] += e * 7 / 16;
            if (y + 1 < H) { if (x) grey[y + 1][x - 1] += e * 3 / 16; grey[y + 1][x] += e * 5 / 16, grey[y + 1][x + 1] += e / 16; }
        }
    show_bitmap("dither");
    static uint8_t copy[H][W];
    memcpy(copy, px, sizeof px);
    for (int a = 0; a < 5; a++) { /* rotate by tan = a/8 in 16.16, nearest sample */
        int c = 65536 - a * a * 512, s = a * 8192;
        for (int y = 0; y < H; y++) for (int x = 0; x < W; x++) { int u = ((x - W / 2) * c - (y - H / 2) * s) >> 16, v = ((x - W / 2) * s + (y - H / 2) * c) >> 16; u += W / 2, v += H / 2; px[y][x] = u < 0 || v < 0 || u >= W || v >= H ? 0 : copy[v][u]; }
        for (int y = 0; y < H; y++) for (int x = 0; x < W; x++) mix_byte(px[y][x]);
    }
    static const int kernel[3][3] = {{1, 2, 1}, {2, 4, 2}, {1, 2, 1}};
    for (int pass = 0; pass < 4; pass++) {
        memcpy(copy, px, sizeof px);
        for (int y = 1; y + 1 < H; y++) for (int x = 1; x + 1 < W; x++) { int t = 0; for (int j = -1; j < 2; j++) for (int i = -1; i < 2; i++) t += kernel[j + 1][i + 1] * copy[y + j][x + i]; px[y][x] = (uint8_t)((t + 8) / 16); }
    }
    show_bitmap("blur");
    for (int i = 0; i < 4096; i++) {
        int r = i >> 8 << 4, g = (i >> 4 & 15) << 4, b = (i & 15) << 4, max = r > g ? r > b ? r : b : g > b ? g : b, min = r < g ? r < b ? r : b : g < b ? g : b, d = max - min;
        int h = !d ? 0 : max == r ? 60 * (g - b) / d + (g < b ? 360 : 0) : max == g ? 60 * (b - r) / d + 120 : 60 * (r - g) / d + 240;
        mix((uint64_t)(h << 16 | (max ? d * 255 / max : 0) << 8 | max)), mix((uint64_t)(19595 * r + 38470 * g + 7471 * b) >> 16);
    }
    show("raster");
    return 0;
}

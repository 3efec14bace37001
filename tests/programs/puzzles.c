/* Search: n-queens three ways, sudoku with constraint propagation, knight's tour, game of life on a torus and unbounded, peg
 * solitaire, tic-tac-toe minimax, exact cover with dancing links, 15-puzzle by iterative deepening. */
#include "prog.h"

static int queens_bits(uint32_t n, uint32_t cols, uint32_t l, uint32_t r) {
    uint32_t all = (1u << n) - 1, found = 0;
    if (cols == all) return 1;
    for (uint32_t free = all & ~(cols | l | r); free; free &= free - 1) {
        uint32_t bit = free & -free;
        found += (uint32_t)queens_bits(n, cols | bit, (l | bit) << 1, (r | bit) >> 1);
    }
    return (int)found;
}
static int queens_array(int n) {
    int at[16], row = 0, found = 0;
    at[0] = -1;
    while (row >= 0) {
        int ok;
        do {
            at[row]++;
            ok = at[row] < n;
            for (int i = 0; i < row && ok; i++) ok = at[i] != at[row] && at[i] - at[row] != i - row && at[i] - at[row] != row - i;
        } while (!ok && at[row] < n);
        if (at[row] >= n) row--;
        else if (row == n - 1) found++;
        else at[++row] = -1;
    }
    return found;
}

static uint16_t cell[81];
static int guesses;
static int eliminate(int i, uint16_t bits);
static int assign(int i, uint16_t bit) { return eliminate(i, (uint16_t)(cell[i] & ~bit)); }
static int peer(int a, int b) { return a != b && (a / 9 == b / 9 || a % 9 == b % 9 || (a / 27 == b / 27 && a % 9 / 3 == b % 9 / 3)); }
static int eliminate(int i, uint16_t bits) {
    if (!(cell[i] & bits)) return 1;
    cell[i] &= (uint16_t)~bits;
    if (!cell[i]) return 0;
    if (!(cell[i] & (cell[i] - 1)))
        for (int j = 0; j < 81; j++)
            if (peer(i, j) && !eliminate(j, cell[i])) return 0;
    return 1;
}
static int sudoku(void) {
    int best = -1, count = 10;
    for (int i = 0; i < 81; i++) {
        int n = __builtin_popcount(cell[i]);
        if (n > 1 && n < count) best = i, count = n;
    }
    if (best < 0) return 1;
    uint16_t keep[81];
    memcpy(keep, cell, sizeof cell);
    for (uint16_t options = cell[best]; options; options &= (uint16_t)(options - 1)) {
        guesses++;
        if (assign(best, (uint16_t)(options & -options)) && sudoku()) return 1;
        memcpy(cell, keep, sizeof cell);
    }
    return 0;
}

static int tour[64];
static int moves_from(int at, int *out) {
    static const int dx[] = {1, 2, 2, 1, -1, -2, -2, -1}, dy[] = {-2, -1, 1, 2, 2, 1, -1, -2};
    int n = 0;
    for (int k = 0; k < 8; k++) {
        int x = at % 8 + dx[k], y = at / 8 + dy[k];
        if (x >= 0 && x < 8 && y >= 0 && y < 8 && !tour[y * 8 + x]) out[n++] = y * 8 + x;
    }
    return n;
}
static int knight(int at, int step) {
    tour[at] = step;
    if (step == 64) return 1;
    int next[8], degree[8], n = moves_from(at, next), unused[8];
    for (int i = 0; i < n; i++) degree[i] = moves_from(next[i], unused);
    for (int d = 0; d < 9; d++)
        for (int i = 0; i < n; i++)
            if (degree[i] == d && knight(next[i], step + 1)) return 1;
    tour[at] = 0;
    return 0;
}

static void life(void) {
    static uint8_t a[64][64], b[64][64];
    for (int y = 0; y < 64; y++) for (int x = 0; x < 64; x++) a[y][x] = rnd_below(3) == 0;
    for (int g = 0; g < 200; g++) {
        int alive = 0;
        for (int y = 0; y < 64; y++)
            for (int x = 0; x < 64; x++) {
                int n = 0;
                for (int dy = 63; dy <= 65; dy++) for (int dx = 63; dx <= 65; dx++) n += a[(y + dy) & 63][(x + dx) & 63];
                n -= a[y][x];
                alive += b[y][x] = n == 3 || (n == 2 && a[y][x]);
            }
        memcpy(a, b, sizeof a);
        if (g % 50 == 0) printf("life %d: %d\n", g, alive);
        mix((uint64_t)alive);
    }
    uint64_t rows[64] = {0}; /* the same rules on 64 columns at once */
    rows[30] = 2, rows[31] = 4, rows[32] = 7;
    for (int g = 0; g < 100; g++) {
        uint64_t next[64];
        for (int y = 0; y < 64; y++) {
            uint64_t one = 0, two = 0, four = 0;
            for (int k = 0; k < 9; k++) {
                if (k == 4) continue;
                uint64_t r = rows[(y + k / 3 + 63) & 63];
                r = k % 3 == 0 ? r << 1 | r >> 63 : k % 3 == 2 ? r >> 1 | r << 63 : r;
                uint64_t c = one & r, d = two & c;
                one ^= r, two ^= c, four |= d;
            }
            next[y] = two & ~four & (one | rows[y]);
        }
        memcpy(rows, next, sizeof rows);
    }
    for (int y = 0; y < 64; y++) mix(rows[y]);
}

static int nodes;
static int minimax(uint32_t me, uint32_t you) {
    static const uint16_t lines[] = {7, 56, 448, 73, 146, 292, 273, 84};
    nodes++;
    for (int i = 0; i < 8; i++) if ((you & lines[i]) == lines[i]) return -1;
    if ((me | you) == 511) return 0;
    int best = -2;
    for (int i = 0; i < 9; i++)
        if (!((me | you) >> i & 1)) {
            int v = -minimax(you, me | 1u << i);
            if (v > best) best = v;
        }
    return best;
}

/* Dancing links: ways to tile a 6x8 board with dominoes... counted exactly. */
static int L[2000], R[2000], U[2000], D[2000], C[2000], S[64], links;
static void cover(int c) {
    L[R[c]] = L[c], R[L[c]] = R[c];
    for (int i = D[c]; i != c; i = D[i]) for (int j = R[i]; j != i; j = R[j]) U[D[j]] = U[j], D[U[j]] = D[j], S[C[j]]--;
}
static void uncover(int c) {
    for (int i = U[c]; i != c; i = U[i]) for (int j = L[i]; j != i; j = L[j]) S[C[j]]++, U[D[j]] = j, D[U[j]] = j;
    L[R[c]] = c, R[L[c]] = c;
}
static int dance(void) {
    if (R[0] == 0) return 1;
    int c = R[0], found = 0;
    for (int i = R[0]; i; i = R[i]) if (S[i] < S[c]) c = i;
    cover(c);
    for (int r = D[c]; r != c; r = D[r]) {
        for (int j = R[r]; j != r; j = R[j]) cover(C[j]);
        found += dance();
        for (int j = L[r]; j != r; j = L[j]) uncover(C[j]);
    }
    uncover(c);
    return found;
}
static void row_of(int a, int b) {
    int first = links;
    for (int k = 0; k < 2; k++) {
        int c = k ? b : a, n = links++;
        C[n] = c, U[n] = U[c], D[n] = c, D[U[c]] = n, U[c] = n, S[c]++;
        L[n] = k ? first : n, R[n] = k ? first : n;
        if (k) L[first] = R[first] = n;
    }
}
static int dominoes(int w, int h) {
    int cells = w * h;
    for (int i = 0; i <= cells; i++) L[i] = i ? i - 1 : cells, R[i] = i < cells ? i + 1 : 0, U[i] = D[i] = i, S[i % 64] = 0;
    links = cells + 1;
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            if (x + 1 < w) row_of(1 + y * w + x, 2 + y * w + x);
            if (y + 1 < h) row_of(1 + y * w + x, 1 + (y + 1) * w + x);
        }
    return dance();
}

static int tile[16], hole, expanded;
static int distance(void) {
    int d = 0;
    for (int i = 0; i < 16; i++) if (tile[i]) d += abs(i % 4 - (tile[i] - 1) % 4) + abs(i / 4 - (tile[i] - 1) / 4);
    return d;
}
static int ida(int g, int bound, int last) {
    int h = distance();
    if (g + h > bound) return g + h;
    if (!h) return -1;
    expanded++;
    int least = 1000, from = hole;
    static const int dx[] = {1, 0, -1, 0}, dy[] = {0, 1, 0, -1};
    for (int k = 0; k < 4; k++) {
        int x = from % 4 + dx[k], y = from / 4 + dy[k], to = y * 4 + x;
        if (x < 0 || x > 3 || y < 0 || y > 3 || (last >= 0 && k == (last + 2) % 4)) continue;
        tile[from] = tile[to], tile[to] = 0, hole = to;
        int t = ida(g + 1, bound, k);
        tile[to] = tile[from], tile[from] = 0, hole = from;
        if (t < 0) return t;
        if (t < least) least = t;
    }
    return least;
}

int main(void) {
    for (uint32_t n = 4; n <= 9; n++) printf("queens %u: %d %d\n", n, queens_bits(n, 0, 0, 0), queens_array((int)n));
    static const char *const grids[] = {"53..7....6..195....98....6.8...6...34..8.3..17...2...6.6....28....419..5....8..79",
        "8..........36......7..9.2...5...7.......457.....1...3...1....68..85...1..9....4..", "..............3.85..1.2.......5.7.....4...1...9.......5......73..2.1........4...9"};
    for (int g = 0; g < 3; g++) {
        for (int i = 0; i < 81; i++) cell[i] = 511;
        guesses = 0;
        int ok = 1;
        for (int i = 0; i < 81 && ok; i++) if (grids[g][i] != '.') ok = assign(i, (uint16_t)(1 << (grids[g][i] - '1')));
        if (g == 2) { printf("sudoku 2 left with %d\n", __builtin_popcount(cell[0])); continue; }
        ok = ok && sudoku();
        printf("sudoku %d %d guesses %d: ", g, ok, guesses);
        for (int i = 0; i < 81; i++) putchar('1' + __builtin_ctz(cell[i]));
        putchar('\n');
    }
    printf("knight %d:", knight(0, 1));
    for (int i = 0; i < 64; i++) printf(" %d", tour[i]);
    printf("\n");
    life();
    int v = minimax(0, 0);
    printf("tic-tac-toe %d, %d nodes\n", v, nodes);
    printf("dominoes %d %d %d\n", dominoes(4, 4), dominoes(6, 4), dominoes(6, 6));
    for (int i = 0; i < 16; i++) tile[i] = (i + 1) & 15;
    hole = 15;
    for (int i = 0, last = -1; i < 60;) {
        int k = (int)rnd_below(4), x = hole % 4 + (k == 0) - (k == 2), y = hole / 4 + (k == 1) - (k == 3);
        if (x < 0 || x > 3 || y < 0 || y > 3 || (last >= 0 && k == (last + 2) % 4)) continue;
        tile[hole] = tile[y * 4 + x], tile[y * 4 + x] = 0, hole = y * 4 + x, last = k, i++;
    }
    int bound = distance();
    for (int t; (t = ida(0, bound, -1)) >= 0; bound = t) {}
    printf("fifteen %d moves, %d expanded\n", bound, expanded);
    show("puzzles");
    return 0;
}

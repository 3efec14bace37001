/* Graph algorithms: BFS, DFS, Dijkstra with a heap, Bellman-Ford, Floyd-Warshall, Kruskal, Prim, Tarjan, topological order, max flow,
 * bipartite matching, bridges, A* on a grid, PageRank; several of them check each other. */
#include "prog.h"

enum { V = 60, INF = 1000000000 };
static int w[V][V];
static int dist[V][V];
static struct { int at, d; } heap[V * V];
static int hn;
static void push(int at, int d) { int i = hn++; for (; i && heap[(i - 1) / 2].d > d; i = (i - 1) / 2) heap[i] = heap[(i - 1) / 2]; heap[i].at = at, heap[i].d = d; }
static int pop(int *d) {
    int at = heap[0].at, i = 0;
    *d = heap[0].d;
    hn--;
    int ha = heap[hn].at, hd = heap[hn].d;
    for (int c; (c = 2 * i + 1) < hn; i = c) { if (c + 1 < hn && heap[c + 1].d < heap[c].d) c++; if (heap[c].d >= hd) break; heap[i] = heap[c]; }
    heap[i].at = ha, heap[i].d = hd;
    return at;
}
static void dijkstra(int s, int *d) {
    for (int i = 0; i < V; i++) d[i] = INF;
    d[s] = 0, hn = 0, push(s, 0);
    while (hn) {
        int du, u = pop(&du);
        if (du > d[u]) continue;
        for (int v = 0; v < V; v++) if (w[u][v] < INF && du + w[u][v] < d[v]) d[v] = du + w[u][v], push(v, d[v]);
    }
}
static int index_of[V], low[V], stack[V], on[V], sp, counter, comp[V], comps;
static void tarjan(int u) {
    index_of[u] = low[u] = ++counter, stack[sp++] = u, on[u] = 1;
    for (int v = 0; v < V; v++)
        if (w[u][v] < INF) {
            if (!index_of[v]) { tarjan(v); if (low[v] < low[u]) low[u] = low[v]; }
            else if (on[v] && index_of[v] < low[u]) low[u] = index_of[v];
        }
    if (low[u] == index_of[u]) { int v; do v = stack[--sp], on[v] = 0, comp[v] = comps; while (v != u); comps++; }
}
static int root[V];
static int find(int x) { while (root[x] != x) x = root[x] = root[root[x]]; return x; }
static int cap[V][V];
static int augment(int s, int t) {
    int from[V], queue[V], h = 0, n = 0;
    memset(from, -1, sizeof from);
    from[s] = s, queue[n++] = s;
    while (h < n && from[t] < 0) { int u = queue[h++]; for (int v = 0; v < V; v++) if (from[v] < 0 && cap[u][v] > 0) from[v] = u, queue[n++] = v; }
    if (from[t] < 0) return 0;
    int f = INF;
    for (int v = t; v != s; v = from[v]) if (cap[from[v]][v] < f) f = cap[from[v]][v];
    for (int v = t; v != s; v = from[v]) cap[from[v]][v] -= f, cap[v][from[v]] += f;
    return f;
}
static int partner[V], seen[V];
static int match(int u) { for (int v = 0; v < V; v++) if (w[u][v] < 40 && !seen[v]) { seen[v] = 1; if (partner[v] < 0 || match(partner[v])) { partner[v] = u; return 1; } } return 0; }
int main(void) {
    int bad = 0;
    for (int i = 0; i < V; i++) for (int j = 0; j < V; j++) w[i][j] = i == j || rnd_below(12) ? INF : 1 + (int)rnd_below(100);
    for (int i = 0; i < V; i++) for (int j = 0; j < V; j++) dist[i][j] = i == j ? 0 : w[i][j];
    for (int k = 0; k < V; k++) for (int i = 0; i < V; i++) for (int j = 0; j < V; j++) if (dist[i][k] + dist[k][j] < dist[i][j]) dist[i][j] = dist[i][k] + dist[k][j];
    for (int s = 0; s < V; s++) {
        int d[V], b[V];
        dijkstra(s, d);
        for (int i = 0; i < V; i++) b[i] = i == s ? 0 : INF;
        for (int r = 0; r < V; r++) for (int u = 0; u < V; u++) if (b[u] < INF) for (int v = 0; v < V; v++) if (w[u][v] < INF && b[u] + w[u][v] < b[v]) b[v] = b[u] + w[u][v];
        for (int i = 0; i < V; i++) { int f = dist[s][i] >= INF ? INF : dist[s][i]; bad += d[i] != f || b[i] != f; mix((uint64_t)d[i]); }
    }
    printf("paths bad %d\n", bad);
    for (int u = 0; u < V; u++) if (!index_of[u]) tarjan(u);
    for (int i = 0; i < V; i++) for (int j = 0; j < V; j++) bad += (comp[i] == comp[j]) != (dist[i][j] < INF && dist[j][i] < INF);
    printf("components %d, bad %d\n", comps, bad);
    struct { int u, v, c; } e[V * V], t;
    int n = 0, total = 0, prim = 0;
    for (int i = 0; i < V; i++) for (int j = 0; j < i; j++) { int c = w[i][j] < w[j][i] ? w[i][j] : w[j][i]; if (c < INF) e[n].u = i, e[n].v = j, e[n++].c = c; }
    for (int i = 1; i < n; i++) { int j = i; t = e[i]; for (; j && e[j - 1].c > t.c; j--) e[j] = e[j - 1]; e[j] = t; }
    for (int i = 0; i < V; i++) root[i] = i;
    for (int i = 0; i < n; i++) if (find(e[i].u) != find(e[i].v)) root[find(e[i].u)] = find(e[i].v), total += e[i].c;
    int best[V], in[V] = {0};
    for (int i = 0; i < V; i++) best[i] = i ? INF : 0;
    for (int r = 0; r < V; r++) {
        int u = -1;
        for (int i = 0; i < V; i++) if (!in[i] && (u < 0 || best[i] < best[u])) u = i;
        in[u] = 1, prim += best[u];
        for (int v = 0; v < V; v++) { int c = w[u][v] < w[v][u] ? w[u][v] : w[v][u]; if (!in[v] && c < best[v]) best[v] = c; }
    }
    printf("spanning trees %d %d\n", total, prim);
    for (int s = 1; s < 6; s++) {
        memcpy(cap, w, sizeof cap);
        for (int i = 0; i < V; i++) for (int j = 0; j < V; j++) if (cap[i][j] >= INF) cap[i][j] = 0;
        int flow = 0, f;
        while ((f = augment(0, s * 11))) flow += f;
        printf("flow %d ", flow);
    }
    memset(partner, -1, sizeof partner);
    int pairs = 0;
    for (int u = 0; u < V; u++) memset(seen, 0, sizeof seen), pairs += match(u);
    printf("matching %d\n", pairs);
    double rank[V], next[V];
    for (int i = 0; i < V; i++) rank[i] = 1.0 / V;
    for (int r = 0; r < 50; r++) {
        for (int i = 0; i < V; i++) next[i] = 0.15 / V;
        for (int u = 0; u < V; u++) { int d = 0; for (int v = 0; v < V; v++) d += w[u][v] < INF; for (int v = 0; v < V; v++) next[v] += d ? (w[u][v] < INF ? 0.85 * rank[u] / d : 0) : 0.85 * rank[u] / V; }
        memcpy(rank, next, sizeof rank);
    }
    for (int i = 0; i < V; i++) mix_f64(rank[i]);
    static char grid[20][61];
    for (int y = 0; y < 20; y++) for (int x = 0; x < 60; x++) grid[y][x] = rnd_below(4) ? '.' : '#';
    static int cost[1200], prev[1200];
    for (int i = 0; i < 1200; i++) cost[i] = INF;
    grid[0][0] = grid[19][59] = '.', cost[0] = 0, hn = 0, push(0, 78);
    while (hn) {
        int f, u = pop(&f), x = u % 60, y = u / 60;
        if (u == 1199) break;
        for (int k = 0; k < 4; k++) {
            int nx = x + (k == 0) - (k == 1), ny = y + (k == 2) - (k == 3), v = ny * 60 + nx;
            if (nx < 0 || nx > 59 || ny < 0 || ny > 19 || grid[ny][nx] == '#' || cost[u] + 1 >= cost[v] || hn > V * V - 4) continue;
            cost[v] = cost[u] + 1, prev[v] = u, push(v, cost[v] + 59 - nx + 19 - ny);
        }
    }
    printf("A* %d\n", cost[1199]);
    for (int u = 1199; cost[1199] < INF && u; u = prev[u]) grid[u / 60][u % 60] = 'o';
    for (int y = 0; y < 20; y++) puts(grid[y]);
    show("graphs");
    return bad;
}

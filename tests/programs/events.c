/* A discrete simulation: events in a heap, a lift, queues at counters, cellular automata (rule 30, 110), a bank with accounts, a lexer by
 * table, a scheduler of coroutines made of state structs. */
#include "prog.h"

typedef struct { int64_t time; int kind, who; } Event;
static Event heap[2000];
static int n;
static int before(const Event *a, const Event *b) { return a->time != b->time ? a->time < b->time : a->who < b->who; }
static void at(int64_t time, int kind, int who) { int i = n++; Event e = {time, kind, who}; for (; i && before(&e, &heap[(i - 1) / 2]); i = (i - 1) / 2) heap[i] = heap[(i - 1) / 2]; heap[i] = e; }
static Event next(void) {
    Event top = heap[0], e = heap[--n];
    int i = 0;
    for (int c; (c = 2 * i + 1) < n; i = c) { if (c + 1 < n && before(&heap[c + 1], &heap[c])) c++; if (!before(&heap[c], &e)) break; heap[i] = heap[c]; }
    heap[i] = e;
    return top;
}
static void counters(void) {
    enum { ARRIVE, LEAVE };
    int waiting[600], h = 0, t = 0, busy = 0, served = 0, longest = 0;
    int64_t arrived[600], total = 0;
    at(0, ARRIVE, 0);
    while (n) {
        Event e = next();
        if (e.kind == ARRIVE) {
            arrived[e.who] = e.time;
            if (e.who + 1 < 500) at(e.time + 1 + rnd_below(20), ARRIVE, e.who + 1);
            waiting[t++] = e.who;
        } else busy--, served++;
        while (busy < 3 && h < t) { int who = waiting[h++]; total += e.time - arrived[who], busy++; at(e.time + 5 + rnd_below(45), LEAVE, who); }
        if (t - h > longest) longest = t - h;
        mix((uint64_t)e.time * 1000 + (uint64_t)e.who);
    }
    printf("served %d waited %lld longest %d\n", served, (long long)total, longest);
}
typedef struct { int state, i, j; uint32_t value; } Task;
static int step(Task *t) { /* a generator: triangular numbers that are 1 mod 3, with resumption inside nested loops */
    switch (t->state) {
    case 0:
        for (t->i = 0; t->i < 50; t->i++) {
            for (t->j = 0; t->j < t->i; t->j++) {
                if ((t->i * (t->i + 1) / 2 + t->j) % 3 == 1) { t->value = (uint32_t)(t->i * 100 + t->j); t->state = 1; return 1; }
    case 1:;
            }
            if (t->i % 7 == 0) { t->value = 7; t->state = 2; return 1; }
    case 2:;
        }
        t->state = 3; /* fall through */
    default: return 0;
    }
}
static void automaton(uint8_t rule) {
    uint64_t a[2] = {0, 1};
    for (int g = 0; g < 60; g++) {
        uint64_t b[2] = {0, 0};
        for (int i = 0; i < 128; i++) {
            int l = (i + 1) & 127, r = (i + 127) & 127, k = (int)((a[l / 64] >> (l & 63) & 1) << 2 | (a[i / 64] >> (i & 63) & 1) << 1 | (a[r / 64] >> (r & 63) & 1));
            b[i / 64] |= (uint64_t)(rule >> k & 1) << (i & 63);
        }
        a[0] = b[0], a[1] = b[1];
        mix(a[0] ^ a[1]);
    }
    printf("rule %d: %016llx%016llx\n", rule, (unsigned long long)a[1], (unsigned long long)a[0]);
}
static const uint8_t table[6][5] = {/* letter digit dot space other */ {1, 2, 5, 0, 5}, {1, 1, 9, 9, 9}, {9, 2, 3, 9, 9}, {9, 4, 9, 9, 9}, {9, 4, 9, 9, 9}, {9, 9, 9, 9, 9}};
static void lexer(const char *s) {
    int count[6] = {0}, state = 0;
    for (;; s++) {
        int c = *s >= 'a' && *s <= 'z' ? 0 : *s >= '0' && *s <= '9' ? 1 : *s == '.' ? 2 : *s == ' ' ? 3 : 4, to = table[state][c];
        if (to == 9) { count[state]++; state = table[0][c]; if (state == 9) state = 0; }
        else state = to;
        if (!*s) break;
    }
    for (int i = 0; i < 6; i++) printf("%d ", count[i]);
    printf("\n");
}
static void bank(void) {
    struct { int64_t cents; int16_t moves; uint8_t frozen : 1, kind : 3; } account[50];
    int refused = 0;
    int64_t total = 0;
    for (int i = 0; i < 50; i++) account[i].cents = 100000, account[i].moves = 0, account[i].frozen = 0, account[i].kind = (uint8_t)(i % 5);
    for (int i = 0; i < 20000; i++) {
        int a = (int)rnd_below(50), b = (int)rnd_below(50), limit = account[a].kind == 4 ? -50000 : 0;
        int64_t sum = rnd_below(30000);
        if (account[a].frozen || account[b].frozen || account[a].cents - sum < limit) { refused++; if (refused % 97 == 0) account[a].frozen ^= 1; continue; }
        account[a].cents -= sum, account[b].cents += sum, account[a].moves++, account[b].moves++;
    }
    for (int i = 0; i < 50; i++) total += account[i].cents, mix((uint64_t)account[i].cents ^ (uint64_t)account[i].moves << 40);
    printf("bank %lld refused %d\n", (long long)total, refused);
}
int main(void) {
    counters(), automaton(30), automaton(110), automaton(90), bank();
    Task a = {0}, b = {0};
    int made = 0;
    for (int i = 0; step(&a) || step(&b); i++) { made++, mix(a.value); if (i % 3 == 0 && step(&b)) mix(b.value); }
    printf("made %d\n", made);
    lexer("alpha 12 3.14 b2b ..  9.x last"), lexer(""), lexer("1.5.7 z");
    show("events");
    return 0;
}

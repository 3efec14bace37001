/* A small Lisp with closures, tail loops, a mark-and-sweep collector over a fixed heap, and symbols. */
#include "prog.h"

typedef struct Obj { uint8_t kind, mark; int64_t num; struct Obj *a, *b, *c; char name[12]; } Obj;
enum { FREE, NUM, SYM, PAIR, PRIM, CLOSURE };
static Obj heap[20000], nil = {SYM, 0, 0, NULL, NULL, NULL, "nil"}, *freelist, *symbols, *global, *roots[4000];
static int nroots, collections;
static void mark(Obj *o) {
    while (o && o != &nil && !o->mark) {
        o->mark = 1;
        if (o->kind != PAIR && o->kind != CLOSURE) return;
        mark(o->a);
        if (o->kind == CLOSURE) mark(o->c);
        o = o->b;
    }
}
static Obj *make(uint8_t kind, Obj *a, Obj *b) {
    if (!freelist) {
        collections++;
        for (int i = 0; i < nroots; i++) mark(roots[i]);
        mark(symbols), mark(global), mark(a), mark(b);
        for (int i = 0; i < COUNT(heap); i++) { if (!heap[i].mark) heap[i].kind = FREE, heap[i].a = freelist, freelist = &heap[i]; heap[i].mark = 0; }
        if (!freelist) { printf("heap full\n"); exit(2); }
    }
    Obj *o = freelist;
    freelist = o->a;
    o->kind = kind, o->a = a, o->b = b, o->c = NULL, o->num = 0;
    return o;
}
#define ROOT(o) (roots[nroots++] = (o))
static Obj *number(int64_t n) { Obj *o = make(NUM, NULL, NULL); o->num = n; return o; }
static Obj *symbol(const char *s, int n) {
    for (Obj *p = symbols; p != &nil; p = p->b) if ((int)strlen(p->a->name) == n && !memcmp(p->a->name, s, (size_t)n)) return p->a;
    Obj *o = make(SYM, NULL, NULL);
    memcpy(o->name, s, (size_t)n), o->name[n] = 0;
    symbols = make(PAIR, o, symbols);
    return o;
}
static const char *src;
static Obj *read(void) {
    while (*src == ' ' || *src == '\n') src++;
    if (*src == '(') {
        src++;
        Obj *items[64];
        int n = 0, keep = nroots;
        for (;;) { while (*src == ' ' || *src == '\n') src++; if (*src == ')') break; items[n++] = ROOT(read()); }
        src++;
        Obj *l = &nil;
        while (n) l = make(PAIR, items[--n], l);
        nroots = keep;
        return l;
    }
    if ((*src >= '0' && *src <= '9') || (*src == '-' && src[1] >= '0' && src[1] <= '9')) { char *e; long long v = strtoll(src, &e, 10); src = e; return number(v); }
    int n = 0;
    while (src[n] && !strchr(" ()\n", src[n])) n++;
    src += n;
    return n == 3 && !strncmp(src - 3, "nil", 3) ? &nil : symbol(src - n, n);
}
static Obj *find(Obj *env, Obj *s) {
    for (; env != &nil; env = env->b) if (env->a->a == s) return env->a;
    for (env = global; env != &nil; env = env->b) if (env->a->a == s) return env->a;
    printf("unbound %s\n", s->name);
    exit(3);
}
static int is(const Obj *o, const char *s) { return o->kind == SYM && !strcmp(o->name, s); }
static Obj *eval(Obj *e, Obj *env) {
    int keep = nroots;
    for (;;) {
        nroots = keep;
        ROOT(e), ROOT(env);
        if (e == &nil || e->kind == NUM) return e;
        if (e->kind == SYM) return find(env, e)->b;
        Obj *op = e->a, *r = &nil;
        if (is(op, "quote")) { nroots = keep; return e->b->a; }
        if (is(op, "if")) { r = eval(e->b->a, env); e = r != &nil ? e->b->b->a : e->b->b->b->a; continue; }
        if (is(op, "lambda")) { r = make(CLOSURE, e->b->a, e->b->b->a), r->c = env, nroots = keep; return r; }
        if (is(op, "define")) { r = ROOT(eval(e->b->b->a, env)); r = ROOT(make(PAIR, e->b->a, r)); global = make(PAIR, r, global), nroots = keep; return &nil; }
        Obj *f = ROOT(eval(op, env)), *args[8];
        int n = 0;
        for (Obj *p = e->b; p != &nil; p = p->b) args[n++] = ROOT(eval(p->a, env));
        if (f->kind == CLOSURE) {
            Obj *in = f->c, *p = f->a;
            for (int i = 0; i < n; i++, p = p->b) { Obj *bind = ROOT(make(PAIR, p->a, args[i])); in = ROOT(make(PAIR, bind, in)); }
            e = f->b, env = in;
            continue;
        }
        switch (f->num) {
        case 0: r = number(args[0]->num + args[1]->num); break;
        case 1: r = number(args[0]->num - args[1]->num); break;
        case 2: r = number(args[0]->num * args[1]->num); break;
        case 3: r = args[0]->num < args[1]->num ? args[0] : &nil; break;
        case 4: r = args[0] == args[1] || (args[0]->kind == NUM && args[1]->kind == NUM && args[0]->num == args[1]->num) ? f : &nil; break;
        case 5: r = make(PAIR, args[0], args[1]); break;
        case 6: r = args[0]->a; break;
        case 7: r = args[0]->b; break;
        }
        nroots = keep;
        return r;
    }
}
static void print(const Obj *o) {
    if (o->kind == NUM) printf("%lld", (long long)o->num), mix((uint64_t)o->num);
    else if (o->kind == SYM) printf("%s", o->name);
    else if (o->kind != PAIR) printf("#f");
    else { putchar('('); for (; o->kind == PAIR; o = o->b) { print(o->a); if (o->b->kind == PAIR) putchar(' '); } putchar(')'); }
}
int main(void) {
    for (int i = COUNT(heap); i-- > 0;) heap[i].a = freelist, freelist = &heap[i];
    symbols = global = &nil;
    static const char *const prims[] = {"+", "-", "*", "<", "=", "cons", "car", "cdr"};
    for (int i = 0; i < 8; i++) { Obj *p = make(PRIM, NULL, NULL); p->num = i; p = make(PAIR, symbol(prims[i], (int)strlen(prims[i])), p); global = make(PAIR, p, global); }
    static const char *const programs[] = {"(define fib (lambda (n) (if (< n 2) n (+ (fib (- n 1)) (fib (- n 2))))))", "(fib 17)",
        "(define map (lambda (f l) (if l (cons (f (car l)) (map f (cdr l))) nil)))", "(define range (lambda (a b) (if (< a b) (cons a (range (+ a 1) b)) nil)))",
        "(define fold (lambda (f z l) (if l (fold f (f z (car l)) (cdr l)) z)))", "(map (lambda (x) (* x x)) (range 0 20))", "(fold + 0 (map (lambda (x) (* x 3)) (range 0 150)))",
        "(define adder (lambda (n) (lambda (m) (+ n m))))", "((adder 5) 37)", "(define loop (lambda (i s) (if (= i 0) s (loop (- i 1) (+ s i)))))", "(loop 30000 0)",
        "(define compose (lambda (f g) (lambda (x) (f (g x)))))", "((compose (adder 1) (compose (adder 10) (lambda (x) (* x x)))) 12)", "(quote (a (b c) 4 nil))"};
    for (int i = 0; i < COUNT(programs); i++) { src = programs[i]; nroots = 0; Obj *e = ROOT(read()); e = eval(e, &nil); if (e != &nil) print(e), putchar('\n'); }
    printf("collections %d\n", collections > 0);
    show("lisp");
    return 0;
}

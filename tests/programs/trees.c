/* Ordered sets five ways: AVL tree, red-black tree, treap, B-tree, skip list. The same operations must give the same sets,
 * and each structure must keep its invariants. */
#include "prog.h"

typedef struct Node { struct Node *kid[2], *up; uint32_t key, aux; } Node;
static int live;
static Node *node(uint32_t key, uint32_t aux) {
    Node *n = calloc(1, sizeof *n);
    n->key = key, n->aux = aux;
    live++;
    return n;
}

/* AVL: aux is the height. */
static int height(const Node *n) { return n ? (int)n->aux : 0; }
static void avl_fix(Node *n) { int l = height(n->kid[0]), r = height(n->kid[1]); n->aux = (uint32_t)((l > r ? l : r) + 1); }
static Node *avl_rotate(Node *n, int d) {
    Node *k = n->kid[!d];
    n->kid[!d] = k->kid[d];
    k->kid[d] = n;
    avl_fix(n), avl_fix(k);
    return k;
}
static Node *avl_balance(Node *n) {
    avl_fix(n);
    int b = height(n->kid[0]) - height(n->kid[1]);
    if (b >= -1 && b <= 1) return n;
    int d = b < 0; /* the heavy side */
    if (height(n->kid[d]->kid[d]) < height(n->kid[d]->kid[!d])) n->kid[d] = avl_rotate(n->kid[d], d);
    return avl_rotate(n, !d);
}
static Node *avl_insert(Node *n, uint32_t key) {
    if (!n) return node(key, 1);
    if (key == n->key) return n;
    int d = key > n->key;
    n->kid[d] = avl_insert(n->kid[d], key);
    return avl_balance(n);
}
static Node *avl_take_min(Node *n, Node **min) {
    if (!n->kid[0]) { *min = n; return n->kid[1]; }
    n->kid[0] = avl_take_min(n->kid[0], min);
    return avl_balance(n);
}
static Node *avl_remove(Node *n, uint32_t key) {
    if (!n) return NULL;
    if (key != n->key) {
        int d = key > n->key;
        n->kid[d] = avl_remove(n->kid[d], key);
        return avl_balance(n);
    }
    Node *l = n->kid[0], *r = n->kid[1], *min;
    free(n), live--;
    if (!r) return l;
    r = avl_take_min(r, &min);
    min->kid[0] = l, min->kid[1] = r;
    return avl_balance(min);
}
static int avl_check(const Node *n) {
    if (!n) return 0;
    int l = avl_check(n->kid[0]), r = avl_check(n->kid[1]);
    if (l < 0 || r < 0 || l - r > 1 || r - l > 1) return -1;
    return (l > r ? l : r) + 1;
}

/* Red-black, left leaning, insert only: aux 1 is red. */
static int red(const Node *n) { return n && n->aux; }
static Node *rb_rotate(Node *n, int d) {
    Node *k = n->kid[!d];
    n->kid[!d] = k->kid[d];
    k->kid[d] = n;
    k->aux = n->aux;
    n->aux = 1;
    return k;
}
static Node *rb_put(Node *n, uint32_t key) {
    if (!n) return node(key, 1);
    if (key != n->key) n->kid[key > n->key] = rb_put(n->kid[key > n->key], key);
    if (red(n->kid[1]) && !red(n->kid[0])) n = rb_rotate(n, 0);
    if (red(n->kid[0]) && red(n->kid[0]->kid[0])) n = rb_rotate(n, 1);
    if (red(n->kid[0]) && red(n->kid[1])) n->aux = 1, n->kid[0]->aux = n->kid[1]->aux = 0;
    return n;
}
static int rb_check(const Node *n) {
    if (!n) return 1;
    int l = rb_check(n->kid[0]), r = rb_check(n->kid[1]);
    if (l < 0 || l != r || red(n->kid[1]) || (red(n) && red(n->kid[0]))) return -1;
    return l + !red(n);
}

/* Treap: aux is the priority. */
static void treap_split(Node *n, uint32_t key, Node **l, Node **r) {
    if (!n) { *l = *r = NULL; return; }
    if (n->key < key) { treap_split(n->kid[1], key, &n->kid[1], r); *l = n; }
    else { treap_split(n->kid[0], key, l, &n->kid[0]); *r = n; }
}
static Node *treap_join(Node *l, Node *r) {
    if (!l || !r) return l ? l : r;
    if (l->aux > r->aux) { l->kid[1] = treap_join(l->kid[1], r); return l; }
    r->kid[0] = treap_join(l, r->kid[0]);
    return r;
}
static Node *treap_set(Node *root, uint32_t key, int in) {
    Node *l, *m, *r;
    treap_split(root, key, &l, &m);
    treap_split(m, key + 1, &m, &r);
    if (in && !m) m = node(key, (uint32_t)rnd());
    if (!in && m) { free(m); live--; m = NULL; }
    return treap_join(treap_join(l, m), r);
}

static uint64_t tree_hash(const Node *n, uint64_t h) {
    if (!n) return h;
    h = tree_hash(n->kid[0], h);
    h = (h ^ n->key) * 0x100000001b3ull;
    return tree_hash(n->kid[1], h);
}
static void tree_free(Node *n) {
    if (!n) return;
    tree_free(n->kid[0]), tree_free(n->kid[1]);
    free(n), live--;
}

/* B-tree of order 8, insert and find. */
enum { T = 4 };
typedef struct BNode { int n, leaf; uint32_t key[2 * T - 1]; struct BNode *kid[2 * T]; } BNode;
static BNode *bnode(int leaf) { BNode *b = calloc(1, sizeof *b); b->leaf = leaf; return b; }
static void b_split(BNode *p, int i) {
    BNode *l = p->kid[i], *r = bnode(l->leaf);
    r->n = T - 1;
    memcpy(r->key, l->key + T, sizeof(uint32_t) * (T - 1));
    if (!l->leaf) memcpy(r->kid, l->kid + T, sizeof(BNode *) * T);
    l->n = T - 1;
    memmove(p->kid + i + 2, p->kid + i + 1, sizeof(BNode *) * (size_t)(p->n - i));
    memmove(p->key + i + 1, p->key + i, sizeof(uint32_t) * (size_t)(p->n - i));
    p->kid[i + 1] = r, p->key[i] = l->key[T - 1], p->n++;
}
static int b_find(const BNode *b, uint32_t key) {
    for (;;) {
        int i = 0;
        while (i < b->n && key > b->key[i]) i++;
        if (i < b->n && b->key[i] == key) return 1;
        if (b->leaf) return 0;
        b = b->kid[i];
    }
}
static BNode *b_insert(BNode *root, uint32_t key) {
    if (b_find(root, key)) return root;
    if (root->n == 2 * T - 1) { BNode *up = bnode(0); up->kid[0] = root; b_split(up, 0); root = up; }
    BNode *b = root;
    while (!b->leaf) {
        int i = b->n;
        while (i > 0 && key < b->key[i - 1]) i--;
        if (b->kid[i]->n == 2 * T - 1) { b_split(b, i); if (key > b->key[i]) i++; }
        b = b->kid[i];
    }
    int i = b->n++;
    for (; i > 0 && b->key[i - 1] > key; i--) b->key[i] = b->key[i - 1];
    b->key[i] = key;
    return root;
}
static uint64_t b_hash(const BNode *b, uint64_t h) {
    for (int i = 0; i <= b->n; i++) {
        if (!b->leaf) h = b_hash(b->kid[i], h);
        if (i < b->n) h = (h ^ b->key[i]) * 0x100000001b3ull;
    }
    return h;
}
static void b_free(BNode *b) {
    for (int i = 0; !b->leaf && i <= b->n; i++) b_free(b->kid[i]);
    free(b);
}

/* Skip list. */
typedef struct Skip { uint32_t key; int levels; struct Skip *next[]; } Skip;
static Skip *skip_new(uint32_t key, int levels) {
    Skip *s = calloc(1, sizeof *s + sizeof(Skip *) * (size_t)levels);
    s->key = key, s->levels = levels;
    return s;
}
static void skip_set(Skip *head, uint32_t key, int in) {
    Skip *before[16], *s = head;
    for (int i = 15; i >= 0; i--) {
        while (s->next[i] && s->next[i]->key < key) s = s->next[i];
        before[i] = s;
    }
    Skip *hit = s->next[0];
    if (hit && hit->key != key) hit = NULL;
    if (in && !hit) {
        int levels = 1;
        while (levels < 16 && (rnd() & 64)) levels++;
        Skip *n = skip_new(key, levels);
        for (int i = 0; i < levels; i++) n->next[i] = before[i]->next[i], before[i]->next[i] = n;
    } else if (!in && hit) {
        for (int i = 0; i < hit->levels; i++) before[i]->next[i] = hit->next[i];
        free(hit);
    }
}

int main(void) {
    Node *avl = NULL, *rb = NULL, *treap = NULL;
    BNode *b = bnode(1);
    Skip *skip = skip_new(0, 16);
    for (int i = 0; i < 6000; i++) {
        uint32_t key = rnd_below(4000) + 1;
        int in = i < 3000 || rnd_below(2);
        avl = in ? avl_insert(avl, key) : avl_remove(avl, key);
        treap = treap_set(treap, key, in);
        skip_set(skip, key, in);
        if (i < 3000) rb = rb_put(rb, key), rb->aux = 0, b = b_insert(b, key);
        if (i == 2999 || i == 5999 || i % 1000 == 0) {
            uint64_t h = tree_hash(avl, 1), s = 1;
            for (Skip *k = skip->next[0]; k; k = k->next[0]) s = (s ^ k->key) * 0x100000001b3ull;
            printf("%d: %016llx %d %d\n", i, (unsigned long long)h, h == tree_hash(treap, 1), h == s);
            if (i < 3000) printf("   %d %d %d\n", h == tree_hash(rb, 1), h == b_hash(b, 1), rb_check(rb) > 0);
            printf("   height %d\n", avl_check(avl));
        }
    }
    int found = 0;
    for (uint32_t k = 0; k < 5000; k++) found += b_find(b, k);
    tree_free(avl), tree_free(rb), tree_free(treap), b_free(b);
    for (Skip *k = skip, *next; k; k = next) next = k->next[0], free(k);
    printf("found %d live %d\n", found, live);
    return live;
}

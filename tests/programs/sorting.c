/* Nine sorting algorithms over several types and orders of input; every result must be the same as that of qsort. */
#include "prog.h"

typedef int32_t T;
static T work[2048], temp[2048], want[2048];
static void swap(T *a, T *b) { T t = *a; *a = *b; *b = t; }
static int cmp(const void *a, const void *b) { T x = *(const T *)a, y = *(const T *)b; return x < y ? -1 : x > y; }

static void bubble(T *a, int n) {
    for (int again = 1; again;) {
        again = 0;
        for (int i = 1; i < n; i++)
            if (a[i - 1] > a[i])
                swap(&a[i - 1], &a[i]), again = 1;
        n--;
    }
}
static void insertion(T *a, int n) {
    for (int i = 1; i < n; i++) {
        T x = a[i];
        int j = i;
        for (; j > 0 && a[j - 1] > x; j--)
            a[j] = a[j - 1];
        a[j] = x;
    }
}
static void selection(T *a, int n) {
    for (int i = 0; i < n; i++) {
        int m = i;
        for (int j = i + 1; j < n; j++)
            m = a[j] < a[m] ? j : m;
        swap(&a[i], &a[m]);
    }
}
static void shell(T *a, int n) {
    int gap = 1;
    while (gap < n / 3)
        gap = 3 * gap + 1;
    for (; gap; gap /= 3)
        for (int i = gap; i < n; i++)
            for (int j = i; j >= gap && a[j - gap] > a[j]; j -= gap)
                swap(&a[j], &a[j - gap]);
}
static void sift(T *a, int i, int n) {
    for (int c; (c = 2 * i + 1) < n; i = c) {
        if (c + 1 < n && a[c + 1] > a[c])
            c++;
        if (a[i] >= a[c])
            return;
        swap(&a[i], &a[c]);
    }
}
static void heap(T *a, int n) {
    for (int i = n / 2; i-- > 0;)
        sift(a, i, n);
    while (n-- > 1)
        swap(&a[0], &a[n]), sift(a, 0, n);
}
static void quick(T *a, int n) {
    while (n > 12) {
        T p = a[n / 2];
        if ((a[0] < p) != (a[0] < a[n - 1]))
            p = a[0];
        int i = 0, j = n - 1;
        for (;;) {
            while (a[i] < p) i++;
            while (p < a[j]) j--;
            if (i >= j) break;
            swap(&a[i++], &a[j--]);
        }
        if (i < n - i) quick(a, i), a += i, n -= i;
        else quick(a + i, n - i), n = i;
    }
    insertion(a, n);
}
static void merge_rec(T *a, int n) {
    if (n < 2)
        return;
    int h = n / 2, i = 0, j = h, k = 0;
    merge_rec(a, h);
    merge_rec(a + h, n - h);
    T *t = temp;
    while (i < h && j < n)
        t[k++] = a[j] < a[i] ? a[j++] : a[i++];
    while (i < h) t[k++] = a[i++];
    memcpy(a, t, sizeof *t * (size_t)k);
}
static void radix(T *a, int n) {
    for (int shift = 0; shift < 32; shift += 8) {
        int count[257] = {0};
        for (int i = 0; i < n; i++)
            count[((((uint32_t)a[i] ^ 0x80000000u) >> shift) & 255) + 1]++;
        for (int i = 0; i < 256; i++)
            count[i + 1] += count[i];
        for (int i = 0; i < n; i++)
            temp[count[(((uint32_t)a[i] ^ 0x80000000u) >> shift) & 255]++] = a[i];
        memcpy(a, temp, sizeof *a * (size_t)n);
    }
}
static void comb(T *a, int n) {
    for (int gap = n, done = 0; !done;) {
        gap = gap * 10 / 13;
        if (gap < 1) gap = 1;
        done = gap == 1;
        for (int i = 0; i + gap < n; i++)
            if (a[i] > a[i + gap])
                swap(&a[i], &a[i + gap]), done = 0;
    }
}

typedef struct { char name[12]; double weight; short age; int64_t id; } Person;
static int by_weight(const void *a, const void *b) {
    const Person *p = a, *q = b;
    if (p->weight != q->weight) return p->weight < q->weight ? -1 : 1;
    return p->id < q->id ? -1 : p->id > q->id;
}
static int by_name(const void *a, const void *b) {
    int c = strcmp(((const Person *)a)->name, ((const Person *)b)->name);
    return c ? c : by_weight(a, b);
}

int main(void) {
    static void (*const sorts[])(T *, int) = {bubble, insertion, selection, shell, heap, quick, merge_rec, radix, comb};
    static const int sizes[] = {0, 1, 2, 3, 10, 13, 100, 257, 900};
    int bad = 0;
    for (int s = 0; s < COUNT(sizes); s++)
        for (int order = 0; order < 5; order++) {
            int n = sizes[s];
            for (int i = 0; i < n; i++)
                want[i] = order == 0 ? (T)rnd() : order == 1 ? i : order == 2 ? -i : order == 3 ? (T)rnd_below(5) : (T)0x80000000 + i % 7;
            for (int k = 0; k < COUNT(sorts); k++) {
                memcpy(work, want, sizeof(T) * (size_t)n);
                sorts[k](work, n);
                T check[900];
                memcpy(check, want, sizeof(T) * (size_t)n);
                qsort(check, (size_t)n, sizeof(T), cmp);
                bad += memcmp(check, work, sizeof(T) * (size_t)n) != 0;
                for (int i = 0; i < n; i += 7)
                    mix((uint64_t)work[i]);
            }
        }
    printf("bad %d\n", bad);
    show("sorted");
    static Person people[300];
    for (int i = 0; i < 300; i++) {
        int a = (int)rnd_below(4), b = (int)rnd_below(3); /* the order in which arguments are computed is not fixed */
        snprintf(people[i].name, 12, "%c%c%u", 'a' + a, 'A' + b, rnd_below(3));
        people[i].weight = rnd_below(50) / 4.0;
        people[i].age = (short)rnd_below(90);
        people[i].id = (int64_t)rnd();
    }
    qsort(people, 300, sizeof *people, by_weight);
    for (int i = 0; i < 300; i++) mix((uint64_t)people[i].id);
    qsort(people, 300, sizeof *people, by_name);
    for (int i = 0; i < 300; i++) mix((uint64_t)people[i].id), mix_text(people[i].name);
    show("people");
    return bad;
}

/* Uses the two objects or the library of api_make.c; the exit status is the number of the first thing that is wrong. */
#include <pthread.h>
#include <stdint.h>
#include <string.h>

extern int counter;
extern char zeros[5000];
extern void *const table[4], *const table_second;
extern __thread int per_thread;
struct Edges {
    int *first, *end;
} list_edges(void);
int of_program[2] = {1, 2};
int add_to_counter(int), next_in_thread(void), stays(void), from_b(int), only_once(void);
struct Answer {
    uint64_t sum, address;
} ask_them(void);
int may_be_replaced(void) {
    return 20;
}
static void *thread(void *p) {
    *(int *)p = next_in_thread() + next_in_thread();
    return NULL;
}

int main(void) {
    if (counter != 1005) return 1; /* .init_array */
    if (add_to_counter(5) != 1110 || counter != 1010) return 2;
    for (int i = 0; i < 5000; i++)
        if (zeros[i]) return 3;
    if ((uintptr_t)zeros % 64) return 4;
    int (*f)(int) = (int (*)(int))(uintptr_t)table[0];
    if (f != add_to_counter || strcmp(table[1], "ello")) return 5;
    if (table[2] != &of_program[1] || table[3] != table) return 6;
    if (table_second != table[1]) return 7;
    if (next_in_thread() != 8 || next_in_thread() != 17 || per_thread != 9) return 8;
    int x = 0;
    pthread_t t;
    if (pthread_create(&t, NULL, thread, &x) || pthread_join(t, NULL)) return 9;
    if (x != 8 + 17 || per_thread != 9) return 10;
    struct Answer a = ask_them();
    if ((int)a.sum != 23 || a.address) return 11;
    if (from_b(1) != 112 || only_once() != 11) return 12;
    int sum = 0, n = 0;
    struct Edges list = list_edges();
    for (int *p = list.first; p < list.end; p++, n++) sum += *p;
    return n == 2 && sum == 3 ? 0 : 13;
}

/* -DLIB: the library; else the program, which is linked with it and with the object of imports.clif. */
#include <pthread.h>
extern long lib_counter, lib_table[2];
extern __thread long lib_thread, main_thread;
long lib_add(long, long), use(long);
void lib_count(void);
#ifdef LIB
long lib_counter = 1, lib_table[2] = {5, 100};
__thread long lib_thread = 7;
long lib_add(long a, long b) {
    return a + b;
}
void lib_count(void) {
    lib_counter++;
}
#endif
#ifdef MAIN
__thread long main_thread = 1000;
static void *thread(void *result) {
    long first = use(1), second = use(1); /* 3 + 100 + 7 + 1010; 103 + 110 + 1020 */
    *(long *)result = first != 1120 || second != 1233 || lib_thread != 213 || main_thread != 1020;
    return 0;
}
int main(void) {
    pthread_t t;
    long mine = 1, other = 1;
    thread(&mine);
    if (pthread_create(&t, 0, thread, &other) || pthread_join(t, 0)) return 1;
    return mine || other || lib_counter != 1 + 4 * 12 || lib_add(1, 2) != 3;
}
#endif

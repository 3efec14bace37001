/* Calls in both directions, a call of the C library, data of the program by its address. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int fib(int), counter;
void show(int);
const char format[] = "fib %d\n";
static char text[100];

int print(const char *f, int n) {
    return sprintf(text + strlen(text), f, n);
}
int main(void) {
    show(20);
    show(10);
    return counter == 2 && fib(5) == 5 && !strcmp(text, "fib 6765\nfib 55\n") ? 0 : 1;
}

/* Counts primes below ten million with a sieve. */
#include <stdio.h>
#include <stdlib.h>

int main(void) {
    const int limit = 10000000;
    unsigned char *composite = calloc((size_t)limit, 1);
    int count = 0;
    for (int i = 2; i < limit; i++) {
        if (composite[i]) continue;
        count++;
        for (long long j = (long long)i * i; j < limit; j += i) composite[j] = 1;
    }
    printf("%d primes below %d\n", count, limit);
    free(composite);
    return 0;
}

/* Far more output than a pipe holds, in pieces of many sizes, all in order. */
#include "check.h"
#include <unistd.h>

int main(void) {
    static char buf[200000];
    unsigned long total = 0;
    for (int round = 0; round < 60; round++) {
        size_t size = 1 + (size_t)round * 3333;
        memset(buf, 'a' + round % 26, size);
        for (size_t at = 0; at < size;) {
            ssize_t n = write(2, buf + at, size - at);
            CHECK(n > 0);
            at += (size_t)n;
        }
        total += size;
    }
    printf("%lu\n", total);
    return 0;
}

/* Standard input from a regular file, and no input at all. */
#include "check.h"

int main(int argc, char **argv) {
    size_t n = 0;
    CHECK(argc == 2);
    int c;
    while ((c = getchar()) != EOF) {
        CHECK(c == "0123456789"[n % 10]);
        n++;
    }
    CHECK(n == (size_t)atoi(argv[1]));
    return 0;
}

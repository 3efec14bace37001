/* abort is a trap, not an exit code. */
#include "check.h"

int main(void) {
    puts("before");
    fflush(stdout);
    abort();
}

/* Closed standard streams: their numbers are free for the program's files, into which no message of the host gets. */
#include "check.h"
#include <fcntl.h>
#include <unistd.h>

int main(void) {
    char c;
    CHECK(read(0, &c, 1) == -1 && errno == EBADF);
    CHECK(write(2, "x", 1) == -1 && errno == EBADF);
    CHECK(open("d/in", O_CREAT | O_RDWR, 0666) == 0);
    CHECK(open("d/file", O_CREAT | O_RDWR, 0666) == 2);
    CHECK(write(2, "mine", 4) == 4);
    puts("done");
    fflush(stdout);
    abort(); /* the message about the trap has nowhere to go */
}

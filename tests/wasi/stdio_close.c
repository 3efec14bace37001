/* A closed standard stream is gone, and its number is the next that is given out. */
#include "check.h"
#include <fcntl.h>
#include <unistd.h>

int main(void) {
    char c;
    CHECK(close(0) == 0);
    CHECK(read(0, &c, 1) == -1 && errno == EBADF);
    CHECK(close(0) == -1 && errno == EBADF);
    int fd = open("d/file", O_CREAT | O_RDWR, 0666);
    CHECK(fd == 0);
    CHECK(write(fd, "x", 1) == 1);
    CHECK(lseek(fd, 0, SEEK_SET) == 0);
    CHECK(getchar() == 'x');
    CHECK(getchar() == EOF);
    CHECK(close(1) == 0);
    CHECK(write(1, "lost", 4) == -1 && errno == EBADF);
    return 0;
}

/* Sixteen megabytes written and read back with the C library, in odd pieces, and a hole beyond four gigabytes. */
#include "file.h"

int main(void) {
    static unsigned char buf[65537];
    FILE *f = fopen("d/big", "w+");
    CHECK(f);
    uint32_t x = 1;
    for (int i = 0; i < 256; i++) {
        for (size_t k = 0; k < sizeof buf; k++)
            buf[k] = (unsigned char)((x = x * 1664525 + 1013904223) >> 24);
        CHECK(fwrite(buf, 1, sizeof buf, f) == sizeof buf);
    }
    CHECK(ftell(f) == 256 * (long)sizeof buf);
    rewind(f);
    x = 1;
    for (size_t i = 0; i < 256 * sizeof buf; i++) {
        int c = getc(f);
        CHECK(c == (int)((x = x * 1664525 + 1013904223) >> 24));
    }
    CHECK(getc(f) == EOF && feof(f));
    CHECK(fclose(f) == 0);
    __wasi_fd_t fd = open_file("hole", __WASI_OFLAGS_CREAT, 0);
    CHECK(seek(fd, 5ll << 30, __WASI_WHENCE_SET) == 5ull << 30);
    CHECK(write_text(fd, "end") == 3);
    CHECK(size_of(fd) == (5ull << 30) + 3);
    CHECK(seek(fd, -5, __WASI_WHENCE_END) == (5ull << 30) - 2);
    CHECK(read_bytes(fd, buf, 10) == 5 && !memcmp(buf, "\0\0end", 5));
    return 0;
}

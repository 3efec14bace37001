/* The longest path, and bytes that are not UTF-8. */
#include "path.h"

int main(void) {
    static char longest[4100];
    for (size_t i = 0; i < 4096; i++) longest[i] = i % 2 ? '/' : '.';
    CHECK_ERR(NAMETOOLONG, try_open(ROOT, 0, longest, 0, 0));
    longest[4095] = 0;
    CHECK_ERR(SUCCESS, try_open(ROOT, 0, longest, 0, 0));
    CHECK_ERR(ILSEQ, OPEN_BYTES("dir/\xff"));
    CHECK_ERR(ILSEQ, OPEN_BYTES("\xc0\xae\xc0\xae/x"));
    return 0;
}

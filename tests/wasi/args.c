/* Arguments, through the C library and as the system call gives them. */
#include "check.h"

int main(int argc, char **argv) {
    size_t count, size, sum = 0;
    for (int i = 1; i < argc; i++) printf("[%s]\n", argv[i]);
    CHECK(argv[argc] == NULL);
    CHECK_ERR(SUCCESS, __wasi_args_sizes_get(&count, &size));
    CHECK(count == (size_t)argc);
    for (int i = 0; i < argc; i++) sum += strlen(argv[i]) + 1;
    CHECK(size == sum);
    uint8_t *ptrs[8], buf[256];
    CHECK_ERR(SUCCESS, __wasi_args_get(ptrs, buf));
    CHECK(ptrs[0] == buf);
    for (int i = 0; i < argc; i++) CHECK(!strcmp((char *)ptrs[i], argv[i]));
    return 0;
}

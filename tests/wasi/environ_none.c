/* No variables at all: the environment of the host is not passed on. */
#include "check.h"

int main(void) {
    size_t count = 9, size = 9;
    CHECK_ERR(SUCCESS, __wasi_environ_sizes_get(&count, &size));
    CHECK(count == 0 && size == 0);
    CHECK(!getenv("PATH"));
    return 0;
}

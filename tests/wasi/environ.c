/* Environment: only what was given, in any order. */
#include "check.h"

int main(void) {
    size_t count, size;
    CHECK_ERR(SUCCESS, __wasi_environ_sizes_get(&count, &size));
    CHECK(count == 3);
    CHECK(size == sizeof "A=1" + sizeof "EMPTY=" + sizeof "EQ=x=y z");
    CHECK(!strcmp(getenv("A"), "1"));
    CHECK(!strcmp(getenv("EMPTY"), ""));
    CHECK(!strcmp(getenv("EQ"), "x=y z"));
    CHECK(!getenv("HOME") && !getenv("PATH"));
    return 0;
}

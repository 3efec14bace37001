/* proc_raise: signals that end a program, do nothing, are not supported, do not exist. */
#include "check.h"

__attribute__((import_module("wasi_snapshot_preview1"), import_name("proc_raise"))) int
proc_raise(int sig);

enum { SIG_NONE = 0, SIG_CHLD = 16, SIG_STOP = 18, SIG_TSTP = 19, SIG_WINCH = 27 };

int main(int argc, char **argv) {
    CHECK(argc == 2);
    CHECK_ERR(SUCCESS, proc_raise(SIG_NONE));
    CHECK_ERR(SUCCESS, proc_raise(SIG_CHLD));
    CHECK_ERR(SUCCESS, proc_raise(SIG_WINCH));
    CHECK_ERR(NOTSUP, proc_raise(SIG_STOP));
    CHECK_ERR(NOTSUP, proc_raise(SIG_TSTP));
    CHECK_ERR(INVAL, proc_raise(99));
    puts("raised");
    fflush(stdout);
    proc_raise(atoi(argv[1]));
    puts("still here");
    return 1;
}

/* The exit code is the argument; standard output is flushed by exit and not by _Exit. */
#include "check.h"

int main(int argc, char **argv) {
    CHECK(argc == 3);
    printf("bye");
    int code = atoi(argv[2]);
    if (!strcmp(argv[1], "exit")) exit(code);
    if (!strcmp(argv[1], "_Exit")) _Exit(code);
    if (!strcmp(argv[1], "proc_exit")) __wasi_proc_exit(code);
    return code;
}

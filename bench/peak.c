/* peak COMMAND ARGS…: runs the command, then prints its peak resident memory in KiB on standard error as the last line.
 * A process counts its parent's memory at the time of the fork as its own until it has called exec; so the parent of
 * what is measured must be small, which an interpreter is not. */
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv) {
    int status;
    struct rusage u;
    if (argc < 2) return 2;
    pid_t pid = fork();
    if (pid == 0) {
        execvp(argv[1], argv + 1);
        _exit(127);
    }
    if (pid < 0 || wait4(pid, &status, 0, &u) != pid) return 2;
    fprintf(stderr, "%ld\n", u.ru_maxrss);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

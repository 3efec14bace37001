/* Shows what a program was given: arguments, /data/file, other/file, the variables A and B. With the argument `write`: tries to make a
 * file in /data. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void show(const char *what, const char *path) {
    char text[40] = "-\n";
    FILE *f = fopen(path, "r");
    if (f && !fgets(text, sizeof text, f)) strcpy(text, "empty\n");
    if (f) fclose(f);
    printf("%s: %s", what, text);
}

int main(int argc, char **argv) {
    if (argc == 2 && strcmp(argv[1], "write") == 0) {
        FILE *f = fopen("/data/new", "w");
        printf("write: %s\n", f ? "ok" : strerror(errno));
        return 0;
    }
    printf("args:");
    for (int i = 1; i < argc; i++) printf(" %s", argv[i]);
    puts("");
    show("file", "/data/file");
    show("other", "other/file");
    printf("A=%s\n", getenv("A") ? getenv("A") : "-");
    printf("B=%s\n", getenv("B") ? getenv("B") : "-");
    return 0;
}

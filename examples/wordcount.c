/* Lines, words and bytes of the files named: WASI files, arguments and exit codes. */
#include <ctype.h>
#include <stdio.h>

int main(int argc, char **argv) {
    int status = 0;
    for (int i = 1; i < argc; i++) {
        FILE *f = fopen(argv[i], "r");
        if (!f) {
            perror(argv[i]);
            status = 1;
            continue;
        }
        long lines = 0, words = 0, bytes = 0;
        int in_word = 0;
        for (int c; (c = getc(f)) != EOF; bytes++) {
            lines += c == '\n';
            words += !isspace(c) && !in_word;
            in_word = !isspace(c);
        }
        fclose(f);
        printf("%ld lines, %ld words, %ld bytes: %s\n", lines, words, bytes, argv[i]);
    }
    return status;
}

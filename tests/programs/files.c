/* Files through stdio in the current folder: write, append, read back, seek, update in place, ungetc, line reading, rename, remove,
 * errors, buffering modes, binary records, fscanf. */
#include "prog.h"
#include <errno.h>

static long size_of(const char *name) {
    FILE *f = fopen(name, "rb");
    if (!f) return -1;
    fseek(f, 0, SEEK_END);
    long n = ftell(f);
    fclose(f);
    return n;
}
typedef struct { int32_t id; double value; char tag[12]; } Record;

int main(void) {
    const char *name = "files-test.tmp", *other = "files-test2.tmp";
    remove(name), remove(other);
    FILE *f = fopen(name, "r");
    printf("missing %d %d\n", f == NULL, errno == ENOENT);
    f = fopen(name, "w");
    if (!f) { printf("cannot write\n"); return 1; }
    for (int i = 0; i < 200; i++) fprintf(f, "line %d %s %.3f\n", i, i % 3 ? "odd" : "three", i / 8.0);
    printf("tell %ld\n", ftell(f));
    fclose(f);
    f = fopen(name, "a");
    fputs("appended\n", f), fputc('x', f), fwrite("yz\n", 1, 3, f);
    fclose(f);
    printf("size %ld\n", size_of(name));
    f = fopen(name, "r");
    char line[100];
    int lines = 0, n, threes = 0;
    double total = 0, v;
    while (fgets(line, sizeof line, f)) {
        char word[20];
        lines++;
        mix_text(line);
        if (sscanf(line, "line %d %19s %lf", &n, word, &v) == 3) total += v, threes += word[0] == 't';
    }
    printf("lines %d threes %d total %.3f eof %d error %d\n", lines, threes, total, feof(f) != 0, ferror(f) != 0);
    rewind(f);
    printf("eof after rewind %d\n", feof(f) != 0);
    fseek(f, -9, SEEK_END);
    fgets(line, sizeof line, f);
    printf("near the end: %s", line);
    fseek(f, 5, SEEK_SET);
    int c = fgetc(f);
    ungetc('@', f);
    int c2 = fgetc(f), c3 = fgetc(f);
    printf("%c %c%c at %ld\n", c, c2, c3, ftell(f));
    fclose(f);
    f = fopen(name, "r+");
    for (int i = 0; i < 10; i++) { fseek(f, i * 20, SEEK_SET); fputc('A' + i, f); }
    fseek(f, 0, SEEK_SET);
    for (int i = 0; i < 40; i++) mix((uint64_t)fgetc(f));
    fclose(f);
    show("text");
    f = fopen(other, "wb+");
    setvbuf(f, NULL, _IOFBF, 256);
    for (int i = 0; i < 500; i++) {
        Record r;
        memset(&r, 0, sizeof r);
        r.id = i * 3, r.value = i * 0.5, snprintf(r.tag, sizeof r.tag, "#%d", i);
        fwrite(&r, sizeof r, 1, f);
    }
    for (int i = 0; i < 100; i++) {
        Record r;
        long at = (long)rnd_below(500);
        fseek(f, at * (long)sizeof r, SEEK_SET);
        if (fread(&r, sizeof r, 1, f) != 1) { printf("short read\n"); return 2; }
        if (r.id % 3 == 0) {
            r.value += 1;
            fseek(f, -(long)sizeof r, SEEK_CUR);
            fwrite(&r, sizeof r, 1, f);
        }
        mix((uint64_t)r.id), mix_f64(r.value), mix_text(r.tag);
    }
    fflush(f);
    fseek(f, 0, SEEK_END);
    printf("records %ld\n", ftell(f) / (long)sizeof(Record));
    Record r;
    int got = (int)fread(&r, sizeof r, 1, f);
    printf("past the end: %d eof %d\n", got, feof(f) != 0);
    fclose(f);
    int renamed = rename(other, "files-test3.tmp");
    printf("rename %d, old %ld, new %ld\n", renamed, size_of(other), size_of("files-test3.tmp") / (long)sizeof(Record));
    int first = remove(name), second = remove("files-test3.tmp"), again = remove(name);
    printf("remove %d %d, again %d\n", first, second, again != 0);
    f = fopen("no/such/folder/file", "w");
    printf("bad path %d\n", f == NULL);
    char memory[64];
    snprintf(memory, sizeof memory, "%s", "12 0x1f 077 -5 3.25 word rest of line");
    int a, b, d, e;
    float g;
    char w[16];
    printf("scanned %d:", sscanf(memory, "%d %x %o %i %f %15s", &a, (unsigned *)&b, (unsigned *)&d, &e, &g, w));
    printf(" %d %d %d %d %g %s\n", a, b, d, e, g, w);
    fprintf(stderr, "to the error stream\n");
    show("files");
    return 0;
}

/* stdio on files: what programs do most. Writes 2 MB of lines and reads them back in several ways. */
#include "check.h"

#include <unistd.h>

enum { LINES = 50000 };

int main(void) {
    char line[128], want[128];
    FILE *f = fopen("out/data.txt", "w");
    CHECK(f);
    for (int i = 0; i < LINES; i++)
        CHECK(fprintf(f, "line %d: %08x %s\n", i, i * 2654435761u, i % 3 ? "odd" : "even") > 0);
    CHECK(fclose(f) == 0);

    f = fopen("out/data.txt", "r");
    CHECK(f);
    for (int i = 0; i < LINES; i++) {
        snprintf(want, sizeof want, "line %d: %08x %s\n", i, i * 2654435761u,
                 i % 3 ? "odd" : "even");
        CHECK(fgets(line, sizeof line, f) && !strcmp(line, want));
    }
    CHECK(!fgets(line, sizeof line, f) && feof(f) && !ferror(f));
    rewind(f);
    int n;
    unsigned h;
    CHECK(fscanf(f, "line %d: %x %3s", &n, &h, line) == 3 && n == 0 && h == 0 &&
          !strcmp(line, "eve"));
    CHECK(fseek(f, -10, SEEK_END) == 0);
    long at = ftell(f);
    CHECK(fread(line, 1, 100, f) == 10 && at > 1000000);
    CHECK(fclose(f) == 0);

    f = fopen("out/data.txt", "r+");
    CHECK(f && fseek(f, 5, SEEK_SET) == 0 && fputc('#', f) == '#');
    CHECK(fseek(f, 0, SEEK_SET) == 0 && fgets(line, sizeof line, f) &&
          !strncmp(line, "line #:", 7));
    CHECK(fclose(f) == 0);

    f = fopen("out/data.txt", "a+");
    CHECK(f && fputs("the end", f) >= 0 && fseek(f, -7, SEEK_END) == 0);
    CHECK(fread(line, 1, 7, f) == 7 && !memcmp(line, "the end", 7));
    CHECK(fclose(f) == 0);

    CHECK(!fopen("out/none/x", "w") && errno == ENOENT);
    CHECK(!fopen("elsewhere", "r"));
    CHECK(fopen("out/new", "wx"));
    CHECK(!fopen("out/new", "wx") && errno == EEXIST);
    CHECK(remove("out/data.txt") == 0 && remove("out/new") == 0);
    puts("stdio");
    return 0;
}

/* tools/embed.c — a file as a C array. usage: embed NAME OUT.c [FILE]; without FILE an empty one:
 *     const uint8_t NAME[]; const uint32_t NAME_size; */
#include <stdio.h>

int main(int argc, char **argv) {
    if (argc < 3 || argc > 4) {
        fputs("usage: embed NAME OUT.c [FILE]\n", stderr);
        return 1;
    }
    FILE *in = argc > 3 ? fopen(argv[3], "rb") : NULL, *out = fopen(argv[2], "w");
    if (!out || (argc > 3 && !in)) {
        perror(out ? argv[3] : argv[2]);
        return 1;
    }
    unsigned long n = 0;
    fprintf(out,
            "#include <stdint.h>\nextern const uint8_t %s[];\nextern const uint32_t %s_size;\n",
            argv[1], argv[1]);
    fprintf(out, "_Alignas(16) const uint8_t %s[] = {", argv[1]);
    for (int c; in && (c = getc(in)) != EOF; n++) fprintf(out, "%s%d,", n % 24 ? "" : "\n", c);
    fprintf(out, "%s};\nconst uint32_t %s_size = %lu;\n", n ? "" : "0", argv[1], n);
    if (in) fclose(in);
    if (fclose(out)) {
        perror(argv[2]);
        return 1;
    }
    return 0;
}

/* driver/listing.h — annotated assembly of compiled code, of `cot objdump` and `cot compile --emit asm`. */
#ifndef COT_DRIVER_LISTING_H
#define COT_DRIVER_LISTING_H
#include "driver/driver.h"
#include "module/linkable.h"

enum { MOST_WANTED = 64 };
typedef struct
    Wanted { /* functions: numbers, or names in which * and ? stand for anything; none: all */
    const char *p[MOST_WANTED];
    uint32_t n;
    uint32_t found;
} Wanted;
/* --function; true if the next argument was it. */
bool wanted_option(Cli *c, Wanted *w);
extern const char wanted_help[];
#define NO_NUMBER UINT32_MAX
bool wanted_matches(Wanted *w, uint32_t number, const char *name, size_t len);
/* After the listing: was there anything of what was wanted? Otherwise a message, false. */
bool wanted_end(const Wanted *w, const char *file);

/* To standard output. module: the WebAssembly module that the image was made of, for operators' names; NULL: not at hand. */
void list_image(const Image *img, const uint8_t *module, size_t size, Wanted *w);
/* An ELF file's functions. False: there are none that have names, or it is not for a machine known here. */
bool list_elf(const uint8_t *bytes, size_t size, Wanted *w);
/* text_lines: source locations are lines of `file`. */
void list_linkable(const Linkable *k, const char *file, bool text_lines, Wanted *w);
#endif

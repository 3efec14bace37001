/* Runs a module of an object file or shared library, as a program of `cot compile` runs one: MODULE, or without that what the library
 * $MODULE_LIBRARY defines as $MODULE_SYMBOL. */
#include <cot/wasm.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#ifdef MODULE
extern const CotLinkedModule MODULE;

int main(int argc, char **argv) {
    return cot_main(&MODULE, argc, argv);
}
#else
int main(int argc, char **argv) {
    const char *path = getenv("MODULE_LIBRARY"), *symbol = getenv("MODULE_SYMBOL");
    void *library = path ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
    const CotLinkedModule *module =
        library && symbol ? (const CotLinkedModule *)dlsym(library, symbol) : NULL;
    if (!module) {
        fprintf(stderr, "%s\n", path && symbol ? dlerror() : "MODULE_LIBRARY, MODULE_SYMBOL");
        return 1;
    }
    return cot_main(module, argc, argv);
}
#endif

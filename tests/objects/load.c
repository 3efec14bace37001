/* Loads a program that was made a shared library, with what it needs, and runs its main. usage: load PROGRAM.so */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>

int main(int argc, char **argv) {
    void *h = argc == 2 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
    void *p = h ? dlsym(h, "main") : NULL;
    if (!p) {
        puts(dlerror());
        return 99;
    }
    int status = ((int (*)(void))(uintptr_t)p)();
    return dlclose(h) ? 98 : status;
}

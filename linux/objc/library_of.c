#include "library_of.h"
#include <dlfcn.h>
#include <stddef.h>

const void *library_of(const void *address) {
    Dl_info info;
    return dladdr(address, &info) ? info.dli_fbase : NULL;
}

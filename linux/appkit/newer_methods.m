// Makefile links this file last, as objc/newer_than_macos.m.
#import "newer_than_macos.h"
#import <string.h>

static BOOL is_in_this_library(const char *owner) {
    return strcmp(owner, "VZVirtualMachineView") == 0;
}

__attribute__((constructor)) static void hide(void) {
    hide_newer_methods(is_in_this_library);
}

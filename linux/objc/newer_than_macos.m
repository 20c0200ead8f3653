// Classes and methods that are newer than the macOS which the library claims to be are not there for a client. A class
// is not found by its name; a method has another name, which is given to it before any message makes the runtime look.
// Code in here goes on using such classes, but must not send such messages. Makefile links this file last: its
// constructor has to run when the runtime knows all classes.
#import <Foundation/Foundation.h>
#import <dlfcn.h>
#import <objc/runtime.h>
#import "newer_than_macos.h"
#import "library_of.h"
#import "macos_version.h"

struct first_version {
    const char *owner;
    char kind; // C class, + or - method that is newer than its class
    const char *selector;
    int major, minor;
};

static const struct first_version first_versions[] = {
#include "first_versions.inc"
};

enum { rows = sizeof first_versions / sizeof *first_versions };

static BOOL is_newer(const struct first_version *row) {
    return !macos_is_at_least(row->major, row->minor);
}

static BOOL class_is_newer(const char *name) {
    if (!name || strncmp(name, "VZ", 2) != 0) return NO;
    for (int i = 0; i < rows; i++) {
        const struct first_version *row = &first_versions[i];
        if (row->kind == 'C' && strcmp(row->owner, name) == 0) return is_newer(row);
    }
    return NO;
}

typedef Class (*lookup)(const char *name);

// The runtime itself comes here too: for compiled code (and then it may look as if that had called), and for a class's
// superclass.
static Class find_class(lookup original, const char *name, const void *caller) {
    if (class_is_newer(name)) {
        const void *library = library_of(caller);
        if (library != library_of(original) && library != library_of(first_versions)) return Nil;
    }
    return original(name);
}

static lookup runtime_lookup(const char *function) {
    return (lookup)dlsym(RTLD_NEXT, function);
}

// These two stand in front of the runtime's.

Class objc_getClass(const char *name) {
    static lookup original;
    if (!original) original = runtime_lookup(__func__);
    return find_class(original, name, __builtin_return_address(0));
}

Class objc_lookUpClass(const char *name) {
    static lookup original;
    if (!original) original = runtime_lookup(__func__);
    return find_class(original, name, __builtin_return_address(0));
}

// GCC's runtime has no call that takes a method away or renames it; this is what a Method of its points to.
struct gcc_method {
    SEL name;
    const char *types;
    IMP implementation;
};

static void hide_method(Class owner, const char *selector) {
    unsigned count = 0;
    Method *methods = class_copyMethodList(owner, &count);
    for (unsigned i = 0; i < count; i++) {
        if (strcmp(sel_getName(method_getName(methods[i])), selector) != 0) continue;
        char hidden[256];
        snprintf(hidden, sizeof hidden, "_newer_%s", selector);
        struct gcc_method *method = (struct gcc_method *)methods[i];
        method->name = sel_registerTypedName(hidden, method->types);
    }
    free(methods);
}

void hide_newer_methods(BOOL (*isConcerned)(const char *owner)) {
    for (int i = 0; i < rows; i++) {
        const struct first_version *row = &first_versions[i];
        if (row->kind == 'C' || !is_newer(row) || !isConcerned(row->owner)) continue;
        Class owner = objc_lookUpClass(row->owner);
        if (!owner) continue;
        hide_method(row->kind == '+' ? object_getClass((id)owner) : owner, row->selector);
    }
}

static BOOL is_in_this_library(const char *owner) {
    return strcmp(owner, "VZVirtualMachineView") != 0;
}

__attribute__((constructor)) static void hide(void) {
    hide_newer_methods(is_in_this_library);
}

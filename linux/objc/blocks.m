// LLVM's blocks runtime knows nothing of Objective-C: a copied block does not retain the objects that it captured.
// These two stand in front of it and see to that; everything but objects goes on to the originals.
#import <Foundation/Foundation.h>
#import <dlfcn.h>

enum { is_object = 3 }; // BLOCK_FIELD_IS_OBJECT, without the flag of a __block variable, which retains nothing

static void *original(const char *name) {
    return dlsym(dlopen("libBlocksRuntime.so.0", RTLD_LAZY | RTLD_NOLOAD), name);
}

void _Block_object_assign(void *destination, const void *captured, const int flags) {
    static void (*assign)(void *, const void *, int);
    if (flags == is_object) {
        *(id *)destination = [(id)captured retain];
        return;
    }
    if (!assign) assign = original(__func__);
    assign(destination, captured, flags);
}

void _Block_object_dispose(const void *captured, const int flags) {
    static void (*dispose)(const void *, int);
    if (flags == is_object) {
        [(id)captured release];
        return;
    }
    if (!dispose) dispose = original(__func__);
    dispose(captured, flags);
}

// The functions of Apple's Objective-C runtime that GCC's does not have, by their own names.
#import <Foundation/Foundation.h>
#import <objc/runtime.h>

// GCC's headers have this as an inline function, so no library exports it; a second C name gets round the first.
// Its body must not call that inline function: not inlined, it would be this one.
Class exported_object_getClass(id object) __asm__("object_getClass");
Class exported_object_getClass(id object) {
    return object ? *(Class *)(void *)object : Nil;
}

id objc_retain(id object) {
    return [object retain];
}

void objc_release(id object) {
    [object release];
}

// CoreFoundation's: here all that is got in its way is an object.
void CFRelease(const void *object) {
    [(id)object release];
}

id objc_autorelease(id object) {
    return [object autorelease];
}

id objc_retainAutorelease(id object) {
    return [[object retain] autorelease];
}

// Foundation must know a thread before the first pool is made on it.
void *objc_autoreleasePoolPush(void) {
    GSRegisterCurrentThread();
    return [[NSAutoreleasePool alloc] init];
}

// A pool takes the pools pushed after it along, as Apple's does.
void objc_autoreleasePoolPop(void *pool) {
    [(NSAutoreleasePool *)pool release];
}

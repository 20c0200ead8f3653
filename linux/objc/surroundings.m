// What Foundation looks at when it is first used. GNUstep ends a process that has an argument or an environment variable
// that is no text in its encoding, and keeps user defaults in files, with a lock that it makes at each start, waits for and
// complains about. Both are mended before its +initialize runs; so nothing in a +load may send a message to Foundation.
#import <Foundation/Foundation.h>
#import <objc/runtime.h>
#import "library_of.h"

static int argument_count;
static char **arguments;

// glibc gives every constructor what main gets.
__attribute__((constructor)) static void keep_arguments(int argc, char **argv) {
    argument_count = argc;
    arguments = argv;
}

/// A copy that is text: of what is none, every byte beyond ASCII becomes a question mark.
static char *as_text(const char *bytes) {
    char *text = strdup(bytes);
    if ([NSString stringWithCString:bytes encoding:[NSString defaultCStringEncoding]]) return text;
    for (char *byte = text; *byte; byte++) {
        if (*byte & 0x80) *byte = '?';
    }
    return text;
}

static char **all_as_text(char **list, int count) {
    char **texts = calloc(count + 1, sizeof *texts);
    for (int i = 0; i < count; i++) texts[i] = as_text(list[i]);
    return texts;
}

static void free_all(char **list) {
    for (char **each = list; *each; each++) free(*each);
    free(list);
}

static IMP original_process_info, original_user_defaults;

static void initialize_with_texts(void) {
    NSAutoreleasePool *pool = [[NSAutoreleasePool alloc] init];
    int variables = 0;
    while (environ[variables]) variables++;
    char **argv = all_as_text(arguments, argument_count), **envp = all_as_text(environ, variables);
    GSInitializeProcess(argument_count, argv, envp);
    free_all(argv);
    free_all(envp);
    [pool release];
}

static void initialize_process_info(id self, SEL selector) {
    if (self == [NSProcessInfo class]) initialize_with_texts(); // a derived class comes here too
    ((void (*)(id, SEL))original_process_info)(self, selector); // it finds that most is done
}

static void initialize_user_defaults(id self, SEL selector) {
    NSAutoreleasePool *pool = [[NSAutoreleasePool alloc] init];
    NSMutableDictionary *configuration = GNUstepConfig(nil);
    [configuration setObject:@":INTERNAL:" forKey:@"GNUSTEP_USER_DEFAULTS_DIR"]; // GNUstep's word for no files
    [configuration setObject:@"" forKey:@"GNUSTEP_USER_CONFIG_FILE"];            // it could say otherwise
    GNUstepConfig(configuration);
    [pool release];
    ((void (*)(id, SEL))original_user_defaults)(self, selector);
}

static IMP replace_initialize(const char *name, void (*implementation)(id, SEL)) {
    return method_setImplementation(class_getClassMethod(objc_getClass(name), @selector(initialize)), (IMP)implementation);
}

static IMP original_descriptor;

// A closed handle's descriptor cannot be asked for on a Mac; GNUstep's says -1.
static int file_descriptor(id self, SEL selector) {
    int descriptor = ((int (*)(id, SEL))original_descriptor)(self, selector);
    if (descriptor < 0) [NSException raise:NSFileHandleOperationException format:@"*** -[%@ fileDescriptor]: No such file handle", [self class]];
    return descriptor;
}

static IMP original_is_multithreaded, original_start;
static BOOL thread_was_detached;

// Threads of POSIX's only do not count on a Mac, where Cocoa then does without locks. GNUstep is told the truth.
static BOOL is_multithreaded(id self, SEL selector) {
    BOOL told = thread_was_detached;
    BOOL isFoundation = library_of(__builtin_return_address(0)) == library_of((void *)original_is_multithreaded);
    return isFoundation ? ((BOOL(*)(id, SEL))original_is_multithreaded)(self, selector) : told;
}

static void start_thread(id self, SEL selector) {
    thread_was_detached = YES;
    ((void (*)(id, SEL))original_start)(self, selector);
}

@interface Surroundings : NSObject
@end

@implementation Surroundings

+ (void)load {
    original_process_info = replace_initialize("NSProcessInfo", initialize_process_info);
    Method descriptor = class_getInstanceMethod(objc_getClass("GSFileHandle"), @selector(fileDescriptor));
    original_descriptor = method_setImplementation(descriptor, (IMP)file_descriptor);
    Method threads = class_getClassMethod(objc_getClass("NSThread"), @selector(isMultiThreaded));
    original_is_multithreaded = method_setImplementation(threads, (IMP)is_multithreaded);
    Method start = class_getInstanceMethod(objc_getClass("NSThread"), @selector(start));
    original_start = method_setImplementation(start, (IMP)start_thread);
    original_user_defaults = replace_initialize("NSUserDefaults", initialize_user_defaults);
}

@end

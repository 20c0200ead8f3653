#import "qemu_program.h"
#import <sys/utsname.h>
#import <unistd.h>

NSString *environment(const char *name) {
    const char *value = getenv(name);
    return value && *value ? [NSString stringWithUTF8String:value] : nil;
}

static NSString *host_architecture(void) {
    struct utsname host;
    uname(&host);
    return [NSString stringWithUTF8String:host.machine];
}

NSString *qemu_architecture(void) {
    NSString *architecture = environment("VIRTUALIZATION_GUEST_ARCH");
    return architecture ? architecture : host_architecture();
}

BOOL qemu_architecture_is_native(void) {
    return [qemu_architecture() isEqualToString:host_architecture()];
}

static NSString *wanted_program(void) {
    NSString *program = environment("VIRTUALIZATION_QEMU");
    return program ? program : [@"qemu-system-" stringByAppendingString:qemu_architecture()];
}

BOOL is_program(NSString *path) {
    BOOL folder = NO;
    return [[NSFileManager defaultManager] fileExistsAtPath:path isDirectory:&folder] && !folder &&
           access([path fileSystemRepresentation], X_OK) == 0;
}

static NSString *program_in_folders(NSString *name, NSString *folders) {
    for (NSString *folder in [folders componentsSeparatedByString:@":"]) {
        NSString *path = [folder stringByAppendingPathComponent:name];
        if (is_program(path)) return path;
    }
    return nil;
}

NSString *program_in_path(NSString *name) {
    NSString *path = program_in_folders(name, environment("PATH"));
    if (path) return path;
    // Where PATH is not set, Deno sets it to a folder of its own: what the system has is then in none of PATH's.
    char folders[1024];
    size_t length = confstr(_CS_PATH, folders, sizeof folders);
    if (length == 0 || length > sizeof folders) return nil;
    return program_in_folders(name, [NSString stringWithUTF8String:folders]);
}

NSString *qemu_program(void) {
    NSString *program = wanted_program();
    if ([program rangeOfString:@"/"].length > 0) return is_program(program) ? program : nil;
    return program_in_path(program);
}

NSString *qemu_missing_reason(void) {
    NSString *package = [qemu_architecture() isEqualToString:@"aarch64"] ? @"qemu-system-arm" : @"qemu-system-x86";
    return [NSString stringWithFormat:@"The program “%@” is not there; Debian's package %@ has QEMU.", wanted_program(), package];
}

#import "saved_state.h"
#import "internal.h"
#import "files.h"
#import <errno.h>
#import <fcntl.h>
#import <unistd.h>

static const char magic[8] = "VZSAVED1";
enum { longest_machine = 64 * 1024 };

// Seen on Macs: “permission denied” while the screen is locked, “invalid argument” for another machine's file.
NSError *save_error(NSString *why) {
    return virtualization_error(VZErrorSave, @"The virtual machine failed to save with error “%@”.", why);
}

NSError *restore_error(NSString *why, NSError *cause) {
    NSString *reason = [NSString stringWithFormat:@"The virtual machine failed to restore with error “%@”.", why];
    return virtualization_error_caused(cause, VZErrorRestore, reason);
}

static NSString *words_of(int number) {
    return [[NSString stringWithUTF8String:strerror(number)] lowercaseString];
}

static int give_up(int descriptor, NSError **error, NSError *what) {
    if (descriptor >= 0) close(descriptor);
    fail(error, what);
    return -1;
}

int begin_saved_state(NSURL *url, NSString *machine, NSError **error) {
    const char *path = [[url path] fileSystemRepresentation];
    int descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (descriptor < 0) return give_up(-1, error, save_error(words_of(errno)));
    NSMutableData *head = [NSMutableData dataWithBytes:magic length:sizeof magic];
    NSData *words = [machine dataUsingEncoding:NSUTF8StringEncoding];
    uint32_t length = (uint32_t)[words length];
    [head appendBytes:&length length:sizeof length];
    [head appendData:words];
    ssize_t written = write(descriptor, [head bytes], [head length]);
    if (written == (ssize_t)[head length]) return descriptor;
    NSError *problem = save_error(words_of(written < 0 ? errno : ENOSPC));
    unlink(path);
    return give_up(descriptor, error, problem);
}

int open_saved_state(NSURL *url, NSString *machine, NSError **error) {
    int descriptor = open_regular_file(url, O_RDONLY);
    if (descriptor < 0) return give_up(-1, error, restore_error(words_of(errno), nil));
    char found[sizeof magic];
    uint32_t length = 0;
    BOOL whole = read(descriptor, found, sizeof found) == sizeof found && memcmp(found, magic, sizeof found) == 0 &&
                 read(descriptor, &length, sizeof length) == sizeof length && length <= longest_machine;
    NSMutableData *words = [NSMutableData dataWithLength:whole ? length : 0];
    whole = whole && read(descriptor, [words mutableBytes], length) == (ssize_t)length;
    if (whole && [words isEqual:[machine dataUsingEncoding:NSUTF8StringEncoding]]) return descriptor;
    return give_up(descriptor, error, restore_error(@"invalid argument", nil));
}

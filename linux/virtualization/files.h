#import "qemu_command_line.h"

/// A path, or the whole of a URL that is no file's: for messages.
NSString *url_text(NSURL *url);

/// Opens a regular file. When it is none, or cannot be opened: -1, and what is said of it in *problem ("could not be
/// opened: ...").
int open_regular_file(NSURL *url, int access, NSString **problem);

/// The same file by a new open file description.
int reopen_file(int descriptor, int access, NSString **problem);

/// Hands a file over to QEMU as the block device of this name, raw, locked, with these options. The client is told of it
/// by its description when QEMU does not take it.
void add_file(QemuCommandLine *commandLine, NSString *identifier, int descriptor, NSString *options, NSString *description);

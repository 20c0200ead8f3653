#import "qemu_command_line.h"

/// Opens a regular file. -1 and errno when it is none or cannot be opened.
int open_regular_file(NSURL *url, int access);

/// The same file by a new open file description.
int reopen_file(int descriptor, int access);

/// Locks a file as Apple's framework does, when a machine starts: for itself to write, with others to read. The lock is
/// that of the open file description: when QEMU has that and nobody else, it ends with QEMU. NO and errno when it is in
/// use, by this process as by any other.
BOOL lock_file(int descriptor, BOOL readOnly);

/// Gives the lock back while others still have the description open.
void unlock_file(int descriptor);

/// The file of a descriptor set as a block device of QEMU's of this name, raw, with these options.
NSDictionary *block_device(NSString *identifier, int set, NSDictionary *options);

/// Hands a file over to QEMU as such a block device, and returns its descriptor set. The client gets the error when QEMU
/// does not take it.
int add_file(QemuCommandLine *commandLine, NSString *identifier, int descriptor, NSDictionary *options, NSError *invalid);

#import <Foundation/Foundation.h>

/// The guest's architecture: $VIRTUALIZATION_GUEST_ARCH, else the host's. As in the names of QEMU's programs.
NSString *qemu_architecture(void);
/// Whether that is the host's, so that its processors can run the guest.
BOOL qemu_architecture_is_native(void);
/// QEMU's program for it: $VIRTUALIZATION_QEMU, else by its name in $PATH or the system's own folders. nil when there is none.
NSString *qemu_program(void);
/// An environment variable, or nil when it is empty.
NSString *environment(const char *name);
/// The first program of that name in $PATH or, behind that, in the system's own folders; or nil.
NSString *program_in_path(NSString *name);
/// Whether it is a file that may be run.
BOOL is_program(NSString *path);
/// Says what is missing and what brings it.
NSString *qemu_missing_reason(void);

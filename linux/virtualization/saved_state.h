#import <Foundation/Foundation.h>

// The file of a machine that was saved: what the machine is, in words, and behind that what QEMU has written. Such a
// file is of no use to a machine that is anything else, and QEMU would notice only some of that, and say it in its way.

/// Makes the file and begins it. Returns a descriptor at which QEMU goes on, or -1 and an error: it may not be there.
int begin_saved_state(NSURL *url, NSString *machine, NSError **error);

/// Opens the file of this machine. Returns a descriptor at which QEMU goes on, or -1 and an error.
int open_saved_state(NSURL *url, NSString *machine, NSError **error);

/// Apple's errors for what has failed.
NSError *save_error(NSString *why);
NSError *restore_error(NSString *why, NSError *cause);

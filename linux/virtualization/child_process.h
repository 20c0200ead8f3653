#import "command_line.h"
#import <pthread.h>
#import "spawn.h"

/// A program that dies with the thread that started it, and the end of what it wrote on its standard error.
@interface ChildProcess : NSObject {
    NSString *_name, *_program;
    CommandLine *_commandLine;
    const struct confinement *_confinement;
    id _kept;
    pid_t _pid;
    int _complaintsDescriptor;
    NSMutableData *_complaints;
    // Guarded by _lock.
    pthread_mutex_t _lock;
    int _pidDescriptor;
    BOOL _killed;
}
/// @param name For people.
/// @param confinement NULL, or what stays.
- (id)initWithName:(NSString *)name
           program:(NSString *)program
       commandLine:(CommandLine *)commandLine
       confinement:(const struct confinement *)confinement;

/// Keeps what the confinement is in.
- (void)keep:(id)object;

/// On the thread that is to wait for it. nil, or what went wrong. A program that was killed before is not started.
- (NSString *)start;
/// From any thread, at any time.
- (void)kill;
/// Readable when the program has ended; -1 when it was not started.
- (int)pidDescriptor;
/// Readable when it has written something; -1 after the end of that.
- (int)complaintsDescriptor;
- (void)readComplaints;
/// Takes the whole lines that begin so out of what was read.
- (NSArray *)takeLinesWithPrefix:(NSString *)prefix;
/// Waits for the end. What went wrong, or nil when it ended well.
- (NSString *)reap;
/// What it wrote last.
- (NSString *)complaints;
@end

/// Reads all that is there without waiting. NO at the end.
BOOL read_available(int descriptor, NSMutableData *data);

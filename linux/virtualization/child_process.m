#import "child_process.h"
#import <errno.h>
#import <fcntl.h>
#import <signal.h>
#import <sys/syscall.h>
#import <sys/wait.h>
#import <unistd.h>

enum { complaints_kept = 4096 };

BOOL read_available(int descriptor, NSMutableData *data) {
    char bytes[4096];
    ssize_t length;
    while ((length = read(descriptor, bytes, sizeof bytes)) > 0) [data appendBytes:bytes length:(NSUInteger)length];
    return length < 0 && (errno == EAGAIN || errno == EINTR);
}

@implementation ChildProcess

- (id)initWithName:(NSString *)name
           program:(NSString *)program
       commandLine:(CommandLine *)commandLine
       confinement:(const struct confinement *)confinement {
    self = [super init];
    if (!self) return nil;
    _name = [name copy];
    _program = [program copy];
    _commandLine = [commandLine retain];
    _confinement = confinement;
    _complaints = [[NSMutableData alloc] init];
    _complaintsDescriptor = _pidDescriptor = _pid = -1;
    pthread_mutex_init(&_lock, NULL);
    return self;
}

- (void)keep:(id)object {
    [_kept autorelease];
    _kept = [object retain];
}

- (void)dealloc {
    [_kept release];
    if (_pidDescriptor >= 0) close(_pidDescriptor);
    [self _closeComplaints];
    pthread_mutex_destroy(&_lock);
    [_name release];
    [_program release];
    [_commandLine release];
    [_complaints release];
    [super dealloc];
}

- (void)_closeComplaints {
    if (_complaintsDescriptor >= 0) close(_complaintsDescriptor);
    _complaintsDescriptor = -1;
}

- (NSString *)start {
    int complaints[2];
    if (pipe2(complaints, O_CLOEXEC) != 0) return [self _notStarted:[[NSString stringWithFormat:@"pipe2: %s", strerror(errno)] UTF8String]];
    fcntl(complaints[0], F_SETFL, O_NONBLOCK);
    _complaintsDescriptor = complaints[0];
    [_commandLine passStandardError:complaints[1]];

    NSArray *arguments = [_commandLine arguments];
    const char *vector[[arguments count] + 2];
    size_t count = 0;
    vector[count++] = [_program fileSystemRepresentation];
    for (NSString *argument in arguments) vector[count++] = [argument UTF8String];
    vector[count] = NULL;

    NSString *problem = nil;
    pthread_mutex_lock(&_lock);
    if ([_commandLine failure]) {
        problem = [self _notStarted:strerror([_commandLine failure])];
    } else if (_killed) {
        problem = [self _notStarted:"it was stopped before"];
    } else {
        const char *step = "";
        int failure = spawn_bound(vector[0], (char *const *)vector, [_commandLine descriptors],
                                  [_commandLine descriptorCount], _confinement, &_pid, &step);
        if (failure) {
            problem = [self _notStarted:[[NSString stringWithFormat:@"%s%s", step, strerror(failure)] UTF8String]];
            if (_pid > 0) waitpid(_pid, NULL, 0);
            _pid = -1;
        } else {
            problem = [self _watch];
        }
    }
    pthread_mutex_unlock(&_lock);
    [_commandLine childHasDescriptors];
    return problem;
}

- (NSString *)_notStarted:(const char *)why {
    return [NSString stringWithFormat:@"“%@” could not be started: %s.", _program, why];
}

/// Without a descriptor of it nobody would hear of its end. Linux has that from 5.3 on; a container's filter may refuse it.
- (NSString *)_watch {
    const char *call = "pidfd_open";
    _pidDescriptor = (int)syscall(SYS_pidfd_open, _pid, 0);
    if (_pidDescriptor >= 0) {
        call = "pidfd_send_signal";
        if (syscall(SYS_pidfd_send_signal, _pidDescriptor, 0, NULL, 0) == 0) return nil;
    }
    NSString *problem = [NSString stringWithFormat:@"“%@” could not be watched: %s: %s.", _program, call, strerror(errno)];
    kill(_pid, SIGKILL);
    waitpid(_pid, NULL, 0);
    if (_pidDescriptor >= 0) close(_pidDescriptor);
    _pidDescriptor = _pid = -1;
    return problem;
}

- (void)kill {
    pthread_mutex_lock(&_lock);
    _killed = YES;
    if (_pidDescriptor >= 0) syscall(SYS_pidfd_send_signal, _pidDescriptor, SIGKILL, NULL, 0);
    pthread_mutex_unlock(&_lock);
}

- (int)pidDescriptor {
    return _pidDescriptor;
}

- (int)complaintsDescriptor {
    return _complaintsDescriptor;
}

- (void)readComplaints {
    if (_complaintsDescriptor >= 0 && !read_available(_complaintsDescriptor, _complaints)) [self _closeComplaints];
    NSUInteger length = [_complaints length];
    if (length <= complaints_kept) return;
    [_complaints replaceBytesInRange:NSMakeRange(0, length - complaints_kept) withBytes:NULL length:0];
}

- (NSArray *)takeLinesWithPrefix:(NSString *)prefix {
    NSMutableArray *taken = [NSMutableArray array];
    NSMutableArray *lines = [[[[self complaints] componentsSeparatedByString:@"\n"] mutableCopy] autorelease];
    for (NSUInteger i = 0; i + 1 < [lines count];) { // what follows the last newline is no whole line yet
        NSString *line = [lines objectAtIndex:i];
        if (![line hasPrefix:prefix]) {
            i++;
            continue;
        }
        [taken addObject:line];
        [lines removeObjectAtIndex:i];
    }
    if ([taken count] > 0) [_complaints setData:[[lines componentsJoinedByString:@"\n"] dataUsingEncoding:NSUTF8StringEncoding]];
    return taken;
}

- (NSString *)complaints {
    return [[[NSString alloc] initWithData:_complaints encoding:NSUTF8StringEncoding] autorelease];
}

- (NSString *)_lastComplaint {
    NSString *last = nil;
    for (NSString *line in [[self complaints] componentsSeparatedByString:@"\n"]) {
        if ([line length]) last = line;
    }
    return last;
}

- (void)_forget {
    pthread_mutex_lock(&_lock);
    if (_pidDescriptor >= 0) close(_pidDescriptor);
    _pidDescriptor = _pid = -1;
    pthread_mutex_unlock(&_lock);
}

- (NSString *)reap {
    if (_pid <= 0) return nil;
    int status = 0;
    while (waitpid(_pid, &status, 0) < 0) {
        if (errno == EINTR) continue;
        // The client lets nobody wait: SIGCHLD is ignored.
        [self _forget];
        return [NSString stringWithFormat:@"%@ ended.", _name];
    }
    [self _forget];
    if (status == 0) return nil;
    [self readComplaints];
    NSString *how = WIFSIGNALED(status)
                        ? [NSString stringWithFormat:@"%@ was killed by signal %d", _name, WTERMSIG(status)]
                        : [NSString stringWithFormat:@"%@ ended with status %d", _name, WEXITSTATUS(status)];
    // Who is killed so had no time to say why.
    NSString *last = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL ? nil : [self _lastComplaint];
    return last ? [NSString stringWithFormat:@"%@: %@", how, last] : [how stringByAppendingString:@"."];
}

@end

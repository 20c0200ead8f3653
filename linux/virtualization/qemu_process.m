#import "internal.h"
#import "spawn.h"
#import <errno.h>
#import <fcntl.h>
#import <poll.h>
#import <signal.h>
#import <sys/socket.h>
#import <sys/syscall.h>
#import <sys/wait.h>
#import <unistd.h>

enum { complaints_kept = 4096 };

// The identifiers of the commands before the guest runs. Later ones have numbers.
static NSString *const capabilities = @"capabilities", *const early = @"early", *const start = @"start";

@implementation QemuProcess

- (id)initWithProgram:(NSString *)program commandLine:(QemuCommandLine *)commandLine machine:(MachineLink *)machine {
    self = [super init];
    if (!self) return nil;
    _program = [program copy];
    _commandLine = [commandLine retain];
    _machine = [machine retain];
    _replies = [[NSMutableDictionary alloc] init];
    _input = [[NSMutableData alloc] init];
    _complaints = [[NSMutableData alloc] init];
    _qmp = _pidDescriptor = -1;
    pthread_mutex_init(&_lock, NULL);
    return self;
}

- (void)dealloc {
    for (NSValue *reply in [_replies allValues]) Block_release([reply pointerValue]);
    if (_qmp >= 0) close(_qmp);
    if (_pidDescriptor >= 0) close(_pidDescriptor);
    pthread_mutex_destroy(&_lock);
    [_program release];
    [_commandLine release];
    [_machine release];
    [_replies release];
    [_input release];
    [_complaints release];
    [_failure release];
    [super dealloc];
}

static void *thread_main(void *argument) {
    GSRegisterCurrentThread();
    NSAutoreleasePool *pool = [[NSAutoreleasePool alloc] init];
    QemuProcess *process = argument;
    [process _run];
    [process release];
    [pool release];
    GSUnregisterCurrentThread();
    return NULL;
}

- (void)launch {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_t thread;
    [self retain];
    int problem = pthread_create(&thread, NULL, thread_main, self);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (problem) {
        [self _fail:[NSString stringWithFormat:@"A thread could not be made: %s.", strerror(problem)]];
        [self _reportEnd];
        [self release];
    } else {
        pthread_detach(thread);
    }
}

- (void)kill {
    pthread_mutex_lock(&_lock);
    _killed = YES;
    if (_pidDescriptor >= 0) syscall(SYS_pidfd_send_signal, _pidDescriptor, SIGKILL, NULL, 0);
    pthread_mutex_unlock(&_lock);
}

- (void)execute:(NSString *)command arguments:(NSDictionary *)arguments reply:(void (^)(NSString *))reply {
    NSNumber *identifier = [NSNumber numberWithUnsignedInteger:++_lastCommand];
    [_replies setObject:[NSValue valueWithPointer:Block_copy(reply)] forKey:identifier];
    [self _send:@{@"execute" : command, @"arguments" : arguments, @"id" : identifier}];
}

- (void)_send:(NSDictionary *)command {
    NSMutableData *line = [[[NSJSONSerialization dataWithJSONObject:command options:0 error:NULL] mutableCopy] autorelease];
    [line appendBytes:"\n" length:1];
    // A QEMU that is stuck reads nothing; it is not waited for. The socket takes some hundred commands before that.
    send(_qmp, [line bytes], [line length], MSG_DONTWAIT | MSG_NOSIGNAL);
}

// On the queue.
- (void)_settleReply:(NSNumber *)identifier problem:(NSString *)problem {
    NSValue *value = [_replies objectForKey:identifier];
    void (^reply)(NSString *) = [value pointerValue];
    if (!reply) return;
    [_replies removeObjectForKey:identifier];
    reply(problem);
    Block_release(reply);
}

/// Does the work on the machine's queue, with the machine, unless that has gone.
- (void)_tellMachine:(void (^)(VZVirtualMachine *machine))work {
    dispatch_async(_machine.queue, ^{
      VZVirtualMachine *machine = [_machine copyMachine];
      if (machine) work(machine);
      [machine release];
    });
}

#pragma mark On the thread

- (void)_fail:(NSString *)reason {
    if (!_failure) _failure = [reason copy];
}

- (void)_run {
    int ends[2], complaints[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0 || pipe2(complaints, O_CLOEXEC) != 0) {
        [self _fail:[NSString stringWithFormat:@"A connection to QEMU could not be made: %s.", strerror(errno)]];
        [self _reportEnd];
        return;
    }
    _qmp = ends[0];
    int qmp = [_commandLine passDescriptor:ends[1]];
    [_commandLine passStandardError:complaints[1]];
    [_commandLine add:@"-chardev" value:@"socket,id=qmp,fd=%d", qmp];
    [_commandLine add:@"-mon" value:@"chardev=qmp,mode=control"];

    pid_t pid = [self _spawn];
    if (pid > 0) {
        [self _listenTo:complaints[0]];
        [self _reap:pid];
    }
    close(complaints[0]);
    [_commandLine closeDescriptors];
    [self _reportEnd];
}

- (pid_t)_spawn {
    NSArray *arguments = [_commandLine arguments];
    const char *vector[[arguments count] + 2];
    size_t count = 0;
    vector[count++] = [_program fileSystemRepresentation];
    for (NSString *argument in arguments) vector[count++] = [argument UTF8String];
    vector[count] = NULL;

    pid_t pid = -1;
    pthread_mutex_lock(&_lock);
    if (!_killed) {
        int problem = spawn_bound(vector[0], (char *const *)vector, [_commandLine descriptors],
                                  [_commandLine descriptorCount], &pid);
        if (problem) {
            [self _fail:[NSString stringWithFormat:@"“%@” could not be started: %s.", _program, strerror(problem)]];
            if (pid > 0) waitpid(pid, NULL, 0);
            pid = -1;
        } else {
            _pidDescriptor = (int)syscall(SYS_pidfd_open, pid, 0); // Linux 5.3
        }
    }
    pthread_mutex_unlock(&_lock);
    [_commandLine childHasDescriptors];
    return pid;
}

- (void)_listenTo:(int)complaints {
    fcntl(_qmp, F_SETFL, O_NONBLOCK);
    fcntl(complaints, F_SETFL, O_NONBLOCK);
    struct pollfd sources[] = {{_pidDescriptor, POLLIN, 0}, {_qmp, POLLIN, 0}, {complaints, POLLIN, 0}};
    BOOL ended = NO;
    while (!ended) {
        if (poll(sources, 3, -1) < 0) continue;
        NSAutoreleasePool *pool = [[NSAutoreleasePool alloc] init];
        ended = (sources[0].revents & POLLIN) != 0;
        // Its last words may still be in the sockets when it has ended.
        if (![self _read:sources[1].fd into:_input]) sources[1].fd = -1;
        if (![self _read:sources[2].fd into:_complaints]) sources[2].fd = -1;
        [self _handleInput];
        NSUInteger length = [_complaints length];
        if (length > complaints_kept) {
            [_complaints replaceBytesInRange:NSMakeRange(0, length - complaints_kept) withBytes:NULL length:0];
        }
        [pool release];
    }
}

/// Reads all that is there. NO at the end.
- (BOOL)_read:(int)descriptor into:(NSMutableData *)data {
    char bytes[4096];
    ssize_t length;
    while (descriptor >= 0 && (length = read(descriptor, bytes, sizeof bytes)) > 0) {
        [data appendBytes:bytes length:(NSUInteger)length];
    }
    return descriptor >= 0 && length < 0 && (errno == EAGAIN || errno == EINTR);
}

- (void)_handleInput {
    for (;;) {
        const char *bytes = [_input bytes];
        const char *end = [_input length] ? memchr(bytes, '\n', [_input length]) : NULL;
        if (!end) return;
        NSUInteger length = (NSUInteger)(end - bytes) + 1;
        id message = [NSJSONSerialization JSONObjectWithData:[NSData dataWithBytes:bytes length:length] options:0 error:NULL];
        [_input replaceBytesInRange:NSMakeRange(0, length) withBytes:NULL length:0];
        if ([message isKindOfClass:[NSDictionary class]]) [self _handleMessage:message];
    }
}

- (void)_handleMessage:(NSDictionary *)message {
    NSString *event = [message objectForKey:@"event"];
    if ([message objectForKey:@"QMP"]) {
        [self _send:@{@"execute" : @"qmp_capabilities", @"id" : capabilities}];
    } else if (event) {
        [self _handleEvent:event data:[message objectForKey:@"data"]];
    } else {
        [self _handleReplyTo:[message objectForKey:@"id"] problem:[[message objectForKey:@"error"] objectForKey:@"desc"]];
    }
}

- (void)_handleEvent:(NSString *)event data:(NSDictionary *)data {
    if (![event isEqualToString:@"SHUTDOWN"]) return;
    NSString *reason = [data objectForKey:@"reason"];
    if ([reason isEqualToString:@"guest-shutdown"]) {
        _guestStopped = YES;
    } else if ([reason isEqualToString:@"guest-panic"]) {
        [self _fail:@"The guest panicked."];
    }
}

- (void)_handleReplyTo:(id)identifier problem:(NSString *)problem {
    if ([identifier isKindOfClass:[NSNumber class]]) {
        [self _tellMachine:^(VZVirtualMachine *machine) {
          [self _settleReply:identifier problem:problem];
        }];
    } else if (problem) {
        [self _fail:problem];
        [self kill];
    } else if ([identifier isEqual:capabilities] || [identifier isEqual:early]) {
        [self _sendEarlyCommand];
    } else if ([identifier isEqual:start]) {
        [self _tellMachine:^(VZVirtualMachine *machine) {
          [machine _qemuDidStart];
        }];
    }
}

/// The next of them, and after the last the one that sets the guest running.
- (void)_sendEarlyCommand {
    NSArray *commands = [_commandLine earlyCommands];
    if (_earlyCommandsSent < [commands count]) {
        NSMutableDictionary *command = [[[commands objectAtIndex:_earlyCommandsSent++] mutableCopy] autorelease];
        [command setObject:early forKey:@"id"];
        [self _send:command];
    } else {
        [_commandLine settleDescriptors];
        [self _send:@{@"execute" : @"cont", @"id" : start}];
    }
}

- (void)_reap:(pid_t)pid {
    int status = 0;
    while (waitpid(pid, &status, 0) < 0) {
        if (errno == EINTR) continue;
        // The client lets nobody wait: SIGCHLD is ignored.
        [self _fail:@"QEMU ended."];
        return;
    }
    NSString *text = [[[NSString alloc] initWithData:_complaints encoding:NSUTF8StringEncoding] autorelease];
    NSString *last = nil;
    for (NSString *line in [text componentsSeparatedByString:@"\n"]) {
        if ([line length]) last = line;
    }
    NSString *how = WIFSIGNALED(status) ? [NSString stringWithFormat:@"QEMU was killed by signal %d", WTERMSIG(status)]
                                        : [NSString stringWithFormat:@"QEMU ended with status %d", WEXITSTATUS(status)];
    [self _fail:last ? [NSString stringWithFormat:@"%@: %@", how, last] : [how stringByAppendingString:@"."]];
}

- (void)_reportEnd {
    NSError *error = _guestStopped ? nil : virtualization_error(VZErrorInternal, @"%@", _failure ? _failure : @"QEMU ended.");
    [self _tellMachine:^(VZVirtualMachine *machine) {
      for (NSNumber *identifier in [_replies allKeys]) {
          [self _settleReply:identifier problem:[error localizedFailureReason]];
      }
      [machine _qemuDidStopWithError:error];
    }];
}

@end

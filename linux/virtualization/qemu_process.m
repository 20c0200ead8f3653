#import "internal.h"
#import "a_mac.h"
#import "console_pump.h"
#import "guest_cards.h"
#import "nbd_watch.h"
#import <errno.h>
#import <fcntl.h>
#import <poll.h>
#import <signal.h>
#import <sys/socket.h>
#import <unistd.h>

enum { patience_with_helpers = 1000, patience_with_end = 5000, patience_with_greeting = 30000 }; // milliseconds

// The identifiers of the commands before the guest runs, and of those that are about a migration, which is how a
// machine is saved and restored. Other ones have numbers.
static NSString *const capabilities = @"capabilities", *const early = @"early", *const start = @"start";
static NSString *const migration = @"migration", *const migrationStatus = @"status", *const migrationProblem = @"problem";

@implementation QemuProcess

- (id)initWithProgram:(NSString *)program commandLine:(QemuCommandLine *)commandLine machine:(MachineLink *)machine {
    self = [super init];
    if (!self) return nil;
    _child = [[ChildProcess alloc] initWithName:@"QEMU" program:program commandLine:commandLine confinement:NULL];
    _commandLine = [commandLine retain];
    _machine = [machine retain];
    _replies = [[NSMutableDictionary alloc] init];
    _input = [[NSMutableData alloc] init];
    _helpers = [[NSMutableArray alloc] init];
    _qmp = _savedState = -1;
    return self;
}

- (void)dealloc {
    for (NSValue *reply in [_replies allValues]) Block_release([reply pointerValue]);
    if (_qmp >= 0) close(_qmp);
    if (_savedState >= 0) close(_savedState);
    [_child release];
    [_helpers release];
    [_commandLine release];
    [_machine release];
    [_replies release];
    [_input release];
    [_failure release];
    [_explanation release];
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
    publish_guest_cards(_commandLine.guestCards, _machine);
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
    [_child kill];
}

/// QEMU is to say how it goes.
static NSDictionary *migration_events(void) {
    return @{@"capabilities" : @[ @{@"capability" : @"events", @"state" : [NSNumber numberWithBool:YES]} ]};
}

- (void)execute:(NSString *)command arguments:(NSDictionary *)arguments reply:(void (^)(NSString *))reply {
    if (_ended) { // one command that has failed so may lead to another
        reply(@"QEMU has ended.");
        return;
    }
    NSNumber *identifier = [NSNumber numberWithUnsignedInteger:++_lastCommand];
    [_replies setObject:[NSValue valueWithPointer:Block_copy(reply)] forKey:identifier];
    [self _send:@{@"execute" : command, @"arguments" : arguments, @"id" : identifier}];
}

- (void)restoreFrom:(int)descriptor {
    _savedState = descriptor;
    [_commandLine add:@"-incoming" value:@"defer"];
    [_commandLine addEarlyCommand:@"migrate-set-capabilities" arguments:migration_events()];
}

- (void)saveTo:(int)descriptor reply:(void (^)(NSString *))reply {
    [_replies setObject:[NSValue valueWithPointer:Block_copy(reply)] forKey:migration];
    void (^ignored)(NSString *) = ^(NSString *problem) {};
    [self execute:@"migrate-set-capabilities" arguments:migration_events() reply:ignored];
    [self execute:@"migrate-set-parameters" arguments:@{@"max-bandwidth" : [NSNumber numberWithLongLong:1LL << 40]} reply:ignored];
    [self passDescriptor:descriptor name:migration];
    [self _send:@{@"execute" : @"migrate", @"arguments" : @{@"uri" : @"fd:migration"}, @"id" : migration}];
}

- (void)passDescriptor:(int)descriptor name:(NSString *)name {
    [self _send:@{@"execute" : @"getfd", @"arguments" : @{@"fdname" : name}, @"id" : @(++_lastCommand)} withDescriptor:descriptor];
}

- (void)addDescriptor:(int)descriptor toSet:(int)set {
    [self _send:@{@"execute" : @"add-fd", @"arguments" : @{@"fdset-id" : @(set)}, @"id" : @(++_lastCommand)}
        withDescriptor:descriptor];
}

- (void)_send:(NSDictionary *)command {
    [self _send:command withDescriptor:-1];
}

- (void)_send:(NSDictionary *)command withDescriptor:(int)descriptor {
    NSMutableData *line = [[[NSJSONSerialization dataWithJSONObject:command options:0 error:NULL] mutableCopy] autorelease];
    [line appendBytes:"\n" length:1];
    struct iovec bytes = {[line mutableBytes], [line length]};
    struct msghdr message = {.msg_iov = &bytes, .msg_iovlen = 1};
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof descriptor)];
    } control;
    if (descriptor >= 0) {
        control.header = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof descriptor), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
        memcpy(CMSG_DATA(&control.header), &descriptor, sizeof descriptor);
        message.msg_control = &control;
        message.msg_controllen = sizeof control;
    }
    // A QEMU that is stuck reads nothing; it is not waited for. The socket takes some hundred commands before that.
    ssize_t sent = sendmsg(_qmp, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && (errno == EPERM || errno == ENOSYS || errno == EACCES)) [self _endFor:@"sendmsg" problem:errno];
}

// On the queue.
- (void)_settleReply:(id)identifier problem:(NSString *)problem {
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
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
        [self _fail:[NSString stringWithFormat:@"A connection to QEMU could not be made: %s.", strerror(errno)]];
        [self _reportEnd];
        return;
    }
    _qmp = ends[0];
    fcntl(_qmp, F_SETFL, O_NONBLOCK);
    int qmp = [_commandLine passDescriptor:ends[1]];
    [_commandLine add:@"-chardev" value:@"socket,id=qmp,fd=%d", qmp];
    [_commandLine add:@"-mon" value:@"chardev=qmp,mode=control"];

    if ([self _startAll]) {
        int problem = [_commandLine.consolePump startWithOnFull:^(BOOL full) {
          [self _tellMachine:^(VZVirtualMachine *machine) {
            [machine _consoleDidBecomeFull:full];
          }];
        }];
        if (problem) [self _endFor:@"Its consoles have no thread" problem:problem];
        [self _listen];
    }
    NSString *problem = [_child reap];
    _explanation = [[_commandLine explanationOf:[_child complaints]] retain];
    [_commandLine closeDescriptors];
    [_commandLine.consolePump finish];
    [self _endHelpers]; // a helper's failure is why QEMU failed, and says more
    if (problem) [self _fail:problem];
    [self _reportEnd];
}

- (BOOL)_startAll {
    for (ChildProcess *child in [[_commandLine helpers] arrayByAddingObject:_child]) {
        NSString *problem = [child start];
        if (problem) {
            [self _fail:problem];
            return NO;
        }
        if (child != _child) [_helpers addObject:child];
    }
    return YES;
}

/// Ends QEMU for the want of something.
- (void)_endFor:(NSString *)want problem:(int)number {
    [self _fail:[NSString stringWithFormat:@"%@: %s.", want, strerror(number)]];
    [_child kill];
}

/// Returns when QEMU has ended.
- (void)_listen {
    NSUInteger children = [_helpers count] + 1;
    struct pollfd sources[2 + 2 * children], *breaker = &sources[1 + 2 * children];
    int qmp = _qmp, networkBreaker = network_breaker();
    NSMutableData *broken = [NSMutableData data];
    for (;;) {
        sources[0] = (struct pollfd){qmp, POLLIN, 0};
        for (NSUInteger i = 0; i < children; i++) {
            ChildProcess *child = i == 0 ? _child : [_helpers objectAtIndex:i - 1];
            sources[1 + 2 * i] = (struct pollfd){[child pidDescriptor], POLLIN, 0};
            sources[2 + 2 * i] = (struct pollfd){[child complaintsDescriptor], POLLIN, 0};
        }
        *breaker = (struct pollfd){networkBreaker, POLLIN, 0};
        // QEMU closes its monitor when it ends; one that does not end then will never answer.
        int patience = qmp < 0 ? patience_with_end : _greeted ? -1 : patience_with_greeting;
        int found = poll(sources, 2 + 2 * children, patience);
        if (found == 0) {
            [self _fail:qmp < 0 ? @"QEMU has closed its monitor, and goes on." : @"QEMU does not answer."];
            [_child kill];
        }
        if (found < 0) {
            if (errno == EINTR) continue;
            [self _endFor:@"It could not be waited for" problem:errno];
            break;
        }
        NSAutoreleasePool *pool = [[NSAutoreleasePool alloc] init];
        // Its last words may still be in the sockets when it has ended.
        if (!read_available(qmp, _input)) qmp = -1;
        [self _handleInput];
        [_child readComplaints];
        [self _hearOfServers];
        if (breaker->revents) {
            read_available(networkBreaker, broken);
            [self _tellMachine:^(VZVirtualMachine *machine) {
              [machine _networkDidBreak];
            }];
        }
        for (NSUInteger i = 1; i < children; i++) {
            ChildProcess *helper = [_helpers objectAtIndex:i - 1];
            [helper readComplaints];
            if (sources[1 + 2 * i].revents & POLLIN) [self _helperDidEnd:helper];
        }
        [pool release];
        if (sources[1].revents & POLLIN) break;
    }
    if (networkBreaker >= 0) close(networkBreaker);
}

/// What QEMU's trace says of its connections to NBD servers.
- (void)_hearOfServers {
    if (!_commandLine.nbdWatch) return;
    for (NSString *line in [_child takeLinesWithPrefix:nbd_trace_prefix]) {
        [self _tellMachine:^(VZVirtualMachine *machine) {
          [_commandLine.nbdWatch hear:line];
        }];
    }
}

- (void)_helperDidEnd:(ChildProcess *)helper {
    NSString *problem = [helper reap];
    if (!problem) return; // QEMU is about to end
    // A guest cannot go on without it: it would wait for it for ever.
    [self _fail:problem];
    [_child kill];
}

/// They end by themselves when QEMU has gone, after what it has given them to do.
- (void)_endHelpers {
    for (ChildProcess *helper in _helpers) {
        struct pollfd end = {[helper pidDescriptor], POLLIN, 0};
        if (end.fd < 0) continue;
        BOOL ended = poll(&end, 1, patience_with_helpers) == 1;
        if (!ended) [helper kill];
        NSString *problem = [helper reap];
        if (ended && problem) [self _fail:problem];
    }
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
        _greeted = YES;
        [self _send:@{@"execute" : @"qmp_capabilities", @"id" : capabilities}];
    } else if (event) {
        [self _handleEvent:event data:[message objectForKey:@"data"]];
    } else {
        NSString *problem = [[message objectForKey:@"error"] objectForKey:@"desc"];
        // Only human-monitor-command returns a text: what it has to complain of.
        id text = [message objectForKey:@"return"];
        if ([text isKindOfClass:[NSString class]] && [text length] > 0) problem = text;
        id identifier = [message objectForKey:@"id"];
        if ([self _handleReplyTo:identifier ofMigration:text problem:problem]) return;
        [self _handleReplyTo:identifier problem:problem];
    }
}

- (void)_handleEvent:(NSString *)event data:(NSDictionary *)data {
    if ([event isEqualToString:@"RESET"]) {
        [self _tellMachine:^(VZVirtualMachine *machine) {
          [machine _guestWasReset];
        }];
    }
    if ([event isEqualToString:@"DEVICE_DELETED"]) {
        [self _tellMachine:^(VZVirtualMachine *machine) {
          [machine _deviceWasDeleted:[data objectForKey:@"device"]];
        }];
    }
    if ([event isEqualToString:@"BLOCK_IO_ERROR"]) {
        [self _tellMachine:^(VZVirtualMachine *machine) {
          [_commandLine.nbdWatch operationFailedOn:[data objectForKey:@"node-name"]];
        }];
    }
    if ([event isEqualToString:@"MIGRATION"]) [self _migrationIs:[data objectForKey:@"status"]];
    if (![event isEqualToString:@"SHUTDOWN"]) return;
    NSString *reason = [data objectForKey:@"reason"];
    if ([reason isEqualToString:@"guest-shutdown"]) {
        _guestStopped = YES;
    } else if ([reason isEqualToString:@"guest-panic"]) {
        [self _fail:@"The guest panicked."];
    }
}

- (void)_migrationIs:(NSString *)status {
    BOOL completed = [status isEqualToString:@"completed"];
    if (_savedState >= 0) { // of one that fails QEMU ends
        if (!completed) return;
        close(_savedState);
        _savedState = -1; // the next is a saving
        [self _tellMachine:^(VZVirtualMachine *machine) {
          [machine _qemuDidRestore];
        }];
    } else if (completed) {
        [self _send:@{@"execute" : @"query-status", @"id" : migrationStatus}];
    } else if ([status isEqualToString:@"failed"]) {
        [self _send:@{@"execute" : @"query-migrate", @"id" : migrationProblem}];
    }
}

- (void)_migrationDidEnd:(NSString *)problem {
    [self _tellMachine:^(VZVirtualMachine *machine) {
      [self _settleReply:migration problem:problem];
    }];
}

/// What follows a migration that is over. NO for other replies.
- (BOOL)_handleReplyTo:(id)identifier ofMigration:(NSDictionary *)result problem:(NSString *)problem {
    if ([identifier isEqual:migration]) {
        if (problem) [self _migrationDidEnd:problem];
    } else if ([identifier isEqual:migrationStatus]) {
        // It says that it is complete an instant before the guest can go on, and says nothing then.
        BOOL finished = ![[result objectForKey:@"status"] isEqual:@"finish-migrate"];
        if (finished) [self _migrationDidEnd:nil];
        else [self _send:@{@"execute" : @"query-status", @"id" : migrationStatus}];
    } else if ([identifier isEqual:migrationProblem]) {
        // It ends in the system's words: Unable to write to file: No space left on device
        NSString *why = [[[result objectForKey:@"error-desc"] componentsSeparatedByString:@": "] lastObject];
        [self _migrationDidEnd:why ? why : @"input/output error"];
    } else {
        return NO;
    }
    return YES;
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
    } else if ([identifier isEqual:start] && _savedState < 0) {
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
        if (_savedState >= 0) return [self _sendSavedState];
        [self _send:@{@"execute" : @"cont", @"id" : start}];
    }
}

- (void)_sendSavedState {
    [self _send:@{@"execute" : @"getfd", @"arguments" : @{@"fdname" : migration}, @"id" : migration} withDescriptor:_savedState];
    [self _send:@{@"execute" : @"migrate-incoming", @"arguments" : @{@"uri" : @"fd:migration"}, @"id" : start}];
}

- (void)_reportEnd {
    withdraw_guest_cards(_commandLine.guestCards);
    NSError *error = nil;
    if (!_guestStopped) {
        error = _explanation ? _explanation : virtualization_error(VZErrorInternal, @"%@", _failure ? _failure : @"QEMU ended.");
    }
    [self _tellMachine:^(VZVirtualMachine *machine) {
      _ended = YES;
      for (NSNumber *identifier in [_replies allKeys]) {
          [self _settleReply:identifier problem:[error localizedFailureReason]];
      }
      [machine _qemuDidStopWithError:error];
    }];
}

@end

#import "internal.h"
#import "a_mac.h"
#import "../objc/macos_version.h"
#import "qemu_program.h"
#import "saved_state.h"
#import "screen.h"
#import <errno.h>
#import <sys/socket.h>
#import <unistd.h>

#define ASSERT_ON_QUEUE() dispatch_assert_queue(_queue)

@implementation VZVirtualMachineStartOptions
@end

// The runtime knows only the protocols that classes adopt, and a client that makes its delegate's class at run time
// asks for this one by name.
@interface DelegateProtocolAdopter : NSObject <VZVirtualMachineDelegate>
@end

@implementation DelegateProtocolAdopter
@end

@implementation VZVirtualMachine

#pragma mark Making and ending

+ (instancetype)new {
    refuse_to_make(self);
    return nil;
}

- (instancetype)init {
    refuse_to_make([self class]);
    return nil;
}

- (instancetype)initWithConfiguration:(VZVirtualMachineConfiguration *)configuration {
    return [self initWithConfiguration:configuration queue:dispatch_get_main_queue()];
}

- (instancetype)initWithConfiguration:(VZVirtualMachineConfiguration *)configuration queue:(dispatch_queue_t)queue {
    self = [super init];
    if (!self) return nil;
    _link = [[MachineLink alloc] initWithMachine:self queue:queue];
    _queue = [queue retain];
    _configuration = [configuration _deepCopy];
    _memoryBalloonDevices = [[self _makeMemoryBalloonDevices] copy];
    _networkDevices = [[self _makeNetworkDevices] copy];
    _directorySharingDevices = [[self _makeDirectorySharingDevices] copy];
    _graphicsDevices = [[self _makeGraphicsDevices] copy];
    _socketDevices = [[self _makeSocketDevices] copy];
    _usbControllers = [[self _makeUSBControllers] copy];
    _screenViewers = [[NSMutableArray alloc] init];
    return self;
}

- (NSArray *)_makeMemoryBalloonDevices {
    NSMutableArray *devices = [NSMutableArray array];
    for (NSUInteger i = 0; i < [_configuration.memoryBalloonDevices count]; i++) {
        [devices addObject:[[[VZVirtioTraditionalMemoryBalloonDevice alloc] _initWithMachine:_link
                                                                                 memorySize:_configuration.memorySize] autorelease]];
    }
    return devices;
}

- (NSArray *)_makeNetworkDevices {
    NSMutableArray *devices = [NSMutableArray array];
    for (VZNetworkDeviceConfiguration *configuration in _configuration.networkDevices) {
        NSString *identifier = [NSString stringWithFormat:@"network%lu", (unsigned long)[devices count]];
        [devices addObject:[[[VZNetworkDevice alloc] _initWithMachine:_link
                                                           identifier:identifier
                                                           attachment:configuration.attachment] autorelease]];
    }
    return devices;
}

- (NSArray *)_makeDirectorySharingDevices {
    NSMutableArray *devices = [NSMutableArray array];
    for (VZVirtioFileSystemDeviceConfiguration *configuration in [_configuration valueForKey:@"directorySharingDevices"]) {
        [devices addObject:[[[VZVirtioFileSystemDevice alloc] _initWithMachine:_link configuration:configuration] autorelease]];
    }
    return devices;
}

- (NSArray *)_makeGraphicsDevices {
    NSMutableArray *devices = [NSMutableArray array];
    for (VZVirtioGraphicsDeviceConfiguration *configuration in [_configuration valueForKey:@"graphicsDevices"]) {
        NSMutableArray *displays = [NSMutableArray array];
        for (VZVirtioGraphicsScanoutConfiguration *scanout in configuration.scanouts) {
            CGSize size = NSMakeSize(scanout.widthInPixels, scanout.heightInPixels);
            [displays addObject:[[[VZVirtioGraphicsScanout alloc] _initWithMachine:_link sizeInPixels:size] autorelease]];
        }
        [devices addObject:[[[VZVirtioGraphicsDevice alloc] _initWithMachine:_link displays:displays] autorelease]];
    }
    return devices;
}

- (NSArray *)_makeSocketDevices {
    NSMutableArray *devices = [NSMutableArray array];
    for (NSUInteger i = 0; i < [_configuration.socketDevices count]; i++) {
        [devices addObject:[[[VZVirtioSocketDevice alloc] _initWithMachine:_link] autorelease]];
    }
    return devices;
}

- (NSArray *)_makeUSBControllers {
    NSMutableArray *controllers = [NSMutableArray array];
    for (VZUSBControllerConfiguration *configuration in [_configuration valueForKey:@"usbControllers"]) {
        [controllers addObject:[[[VZXHCIController alloc] _initWithMachine:_link configuration:configuration] autorelease]];
    }
    return controllers;
}

// The count is in the link, so that a reference can be got from there or fail to be got: see MachineLink.
- (id)retain {
    [_link retainMachine];
    return self;
}

- (oneway void)release {
    if (!_link || [_link releaseMachine]) [self dealloc];
}

- (NSUInteger)retainCount {
    return [_link references];
}

- (void)dealloc {
    [_process kill];
    [_process release];
    NSAutoreleasePool *pool = [[NSAutoreleasePool alloc] init]; // the last reference may go on a thread that has none
    if (_completionHandler) {
        [self _completeWithError:virtualization_error(VZErrorInternal, @"The virtual machine was released.")];
    }
    [_usbControllers makeObjectsPerformSelector:@selector(_machineDidStop)];
    [pool release];
    [_queue release];
    [_configuration release];
    [_memoryBalloonDevices release];
    [_networkDevices release];
    [_directorySharingDevices release];
    [_graphicsDevices release];
    [_socketDevices release];
    [_usbControllers release];
    [_screenViewers release];
    [_link release];
    [super dealloc];
}

+ (BOOL)isSupported {
    return hardware_can_virtualize() && qemu_program() != nil;
}

- (dispatch_queue_t)queue {
    return _queue;
}

#pragma mark State

- (VZVirtualMachineState)state {
    ASSERT_ON_QUEUE();
    return _state;
}

- (BOOL)canStart {
    ASSERT_ON_QUEUE();
    return _state == VZVirtualMachineStateStopped || _state == VZVirtualMachineStateError;
}

- (BOOL)canStop {
    ASSERT_ON_QUEUE();
    return _state == VZVirtualMachineStateRunning || _state == VZVirtualMachineStatePaused;
}

- (BOOL)canPause {
    ASSERT_ON_QUEUE();
    return _state == VZVirtualMachineStateRunning;
}

- (BOOL)canResume {
    ASSERT_ON_QUEUE();
    return _state == VZVirtualMachineStatePaused;
}

- (BOOL)canRequestStop {
    ASSERT_ON_QUEUE();
    return guests_can_be_requested_to_stop() && _state == VZVirtualMachineStateRunning;
}

+ (BOOL)automaticallyNotifiesObserversForKey:(NSString *)key {
    return NO;
}

- (void)_setState:(VZVirtualMachineState)state {
    NSArray *keys = @[@"state", @"canStart", @"canStop", @"canPause", @"canResume", @"canRequestStop"];
    for (NSString *key in keys) [self willChangeValueForKey:key];
    _state = state;
    for (NSString *key in [keys reverseObjectEnumerator]) [self didChangeValueForKey:key];
}

static NSString *state_name(VZVirtualMachineState state) {
    NSArray *names = @[
        @"stopped", @"running", @"paused", @"error", @"starting", @"pausing", @"resuming", @"stopping", @"saving", @"restoring"
    ];
    return [names objectAtIndex:(NSUInteger)state];
}

/// Gives the handler, which it releases, its call on the queue, after the caller's own work there.
- (void)_complete:(void (^)(NSError *))handler withError:(NSError *)error {
    if (!handler) return;
    dispatch_async(_queue, ^{
      handler(error);
    });
    Block_release(handler);
}

- (void)_completeWithError:(NSError *)error {
    void (^handler)(NSError *) = _completionHandler;
    _completionHandler = nil;
    [self _complete:handler withError:error];
}

/// Enters a state that lasts until the handler is called. NO, and the handler called with an error, when it cannot be
/// entered now.
- (BOOL)_enter:(VZVirtualMachineState)state if:(BOOL)allowed handler:(void (^)(NSError *))handler {
    void (^copy)(NSError *) = handler ? Block_copy(handler) : NULL;
    if (allowed) {
        _completionHandler = copy;
        [self _setState:state];
    } else {
        [self _complete:copy withError:virtualization_error(VZErrorInvalidVirtualMachineStateTransition,
                                                            @"Transition from state “%@” to state “%@” is invalid.",
                                                            state_name(_state), state_name(state))];
    }
    return allowed;
}

#pragma mark What the client asks

- (QemuProcess *)_makeProcess:(NSError **)error {
    if (![_configuration validateWithError:error]) return nil;
    NSString *program = qemu_program();
    if (!program) {
        fail(error, virtualization_error(VZErrorInternal, @"%@", qemu_missing_reason()));
        return nil;
    }
    QemuCommandLine *commandLine = [[[QemuCommandLine alloc] initWithArchitecture:qemu_architecture()] autorelease];
    for (VZUSBController *controller in _usbControllers) {
        if (![controller _describeTo:commandLine error:error]) return nil;
    }
    if (![_configuration _describeTo:commandLine error:error]) return nil;
    for (VZNetworkDevice *device in _networkDevices) [device _addLinkTo:commandLine];
    for (VZVirtioSocketDevice *device in _socketDevices) {
        if (![device _describeTo:commandLine error:error]) return nil;
    }
    return [[QemuProcess alloc] initWithProgram:program commandLine:commandLine machine:_link];
}

- (void)startWithCompletionHandler:(void (^)(NSError *))completionHandler {
    ASSERT_ON_QUEUE();
    if (![self _enter:VZVirtualMachineStateStarting if:[self canStart] handler:completionHandler]) return;
    NSError *error = nil;
    _process = [self _makeProcess:&error];
    if (_process) {
        [_process launch];
    } else {
        [_usbControllers makeObjectsPerformSelector:@selector(_machineDidStop)];
        [self _setState:VZVirtualMachineStateError];
        [self _completeWithError:error];
    }
}

- (void)startWithOptions:(VZVirtualMachineStartOptions *)options completionHandler:(void (^)(NSError *))completionHandler {
    [self startWithCompletionHandler:completionHandler];
}

- (void)stopWithCompletionHandler:(void (^)(NSError *))completionHandler {
    ASSERT_ON_QUEUE();
    if ([self _enter:VZVirtualMachineStateStopping if:[self canStop] handler:completionHandler]) [_process kill];
}

/// Enters a state and leaves it for another when QEMU has done the command.
- (void)_enter:(VZVirtualMachineState)passing
             if:(BOOL)allowed
    reachingState:(VZVirtualMachineState)goal
        byCommand:(NSString *)command
          handler:(void (^)(NSError *))handler {
    VZVirtualMachineState before = _state;
    if (![self _enter:passing if:allowed handler:handler]) return;
    __block VZVirtualMachine *machine = self; // without a reference: a QEMU that never replies must not keep the machine
    [_process execute:command
            arguments:@{}
                reply:^(NSString *problem) {
                  if (machine->_state != passing) return;
                  [machine _setState:problem ? before : goal];
                  [machine _completeWithError:problem ? virtualization_error(VZErrorInternal, @"%@", problem) : nil];
                }];
}

- (void)pauseWithCompletionHandler:(void (^)(NSError *))completionHandler {
    ASSERT_ON_QUEUE();
    [self _enter:VZVirtualMachineStatePausing
                   if:[self canPause]
        reachingState:VZVirtualMachineStatePaused
            byCommand:@"stop"
              handler:completionHandler];
}

- (void)resumeWithCompletionHandler:(void (^)(NSError *))completionHandler {
    ASSERT_ON_QUEUE();
    if ([self canResume]) _wasSaved = NO;
    [self _enter:VZVirtualMachineStateResuming
                   if:[self canResume]
        reachingState:VZVirtualMachineStateRunning
            byCommand:_consoleIsFull ? @"stop" : @"cont" // it goes on when the console is not full any more
              handler:completionHandler];
}

- (BOOL)requestStopWithError:(NSError **)error {
    ASSERT_ON_QUEUE();
    if (![self canRequestStop]) {
        return fail(error, virtualization_error(VZErrorInvalidVirtualMachineState,
                                                @"A virtual machine in state “%@” cannot be asked to stop.", state_name(_state)));
    }
    if (requests_to_stop_fail()) {
        return fail(error, virtualization_error(VZErrorInternal, @"The virtual machine could not be requested to stop."));
    }
    [self _execute:@"system_powerdown" arguments:@{}];
    return YES;
}

#pragma mark Saving and restoring

/// Leaves a state that lasts for the one before it.
- (void)_return:(VZVirtualMachineState)state withError:(NSError *)error {
    [self _setState:state];
    [self _completeWithError:error];
}

- (void)saveMachineStateToURL:(NSURL *)saveFileURL completionHandler:(void (^)(NSError *))completionHandler {
    ASSERT_ON_QUEUE();
    require_file_url(saveFileURL);
    BOOL paused = _state == VZVirtualMachineStatePaused;
    if (![self _enter:VZVirtualMachineStateSaving if:paused handler:completionHandler]) return;
    NSError *error = nil;
    BOOL supported = [_configuration validateSaveRestoreSupportWithError:&error];
    int file = supported ? begin_saved_state(saveFileURL, [_configuration _identityInSavedState], &error) : -1;
    if (file < 0) return [self _return:VZVirtualMachineStatePaused withError:error];
    if (_wasSaved) {
        // A guest that has stood still since it was saved QEMU saves only when it has run, for however short a time.
        [self _letGuestRun:YES];
        [self _letGuestRun:NO];
    }
    _wasSaved = YES;
    __block VZVirtualMachine *machine = self; // without a reference, as below
    [_process saveTo:file
               reply:^(NSString *problem) {
                 [machine _finishSaving:file to:saveFileURL problem:problem];
               }];
}

/// It is only saved when it would be there after a loss of power, too: that takes time.
- (void)_finishSaving:(int)file to:(NSURL *)url problem:(NSString *)problem {
    dispatch_queue_t disk = dispatch_queue_create("saved state", DISPATCH_QUEUE_SERIAL);
    MachineLink *link = _link;
    dispatch_async(disk, ^{
      int failure = problem || fsync(file) == 0 ? 0 : errno;
      close(file);
      NSString *why = failure ? [NSString stringWithUTF8String:strerror(failure)] : problem;
      if (why) unlink([[url path] fileSystemRepresentation]);
      dispatch_async(link.queue, ^{
        VZVirtualMachine *machine = [link copyMachine];
        if (machine && machine->_state == VZVirtualMachineStateSaving) {
            [machine _return:VZVirtualMachineStatePaused withError:why ? save_error([why lowercaseString]) : nil];
        }
        [machine release];
      });
    });
    dispatch_release(disk);
}

- (void)restoreMachineStateFromURL:(NSURL *)saveFileURL completionHandler:(void (^)(NSError *))completionHandler {
    ASSERT_ON_QUEUE();
    require_file_url(saveFileURL);
    BOOL stopped = _state == VZVirtualMachineStateStopped;
    if (![self _enter:VZVirtualMachineStateRestoring if:stopped handler:completionHandler]) return;
    NSError *error = nil;
    BOOL supported = [_configuration validateSaveRestoreSupportWithError:&error];
    int file = supported ? open_saved_state(saveFileURL, [_configuration _identityInSavedState], &error) : -1;
    _process = file < 0 ? nil : [self _makeProcess:&error];
    if (_process) {
        [_process restoreFrom:file];
        [_process launch];
    } else {
        if (file >= 0) close(file);
        [self _return:VZVirtualMachineStateStopped withError:error];
    }
}

#pragma mark What QEMU tells

- (void)_qemuDidStart {
    if (_state != VZVirtualMachineStateStarting) return;
    [self _setState:VZVirtualMachineStateRunning];
    if (_consoleIsFull) [self _execute:@"stop" arguments:@{}];
    [_memoryBalloonDevices makeObjectsPerformSelector:@selector(_machineDidStart)];
    [_usbControllers makeObjectsPerformSelector:@selector(_machineDidStart)];
    for (id<ScreenViewer> viewer in _screenViewers) [self _showScreenTo:viewer];
    [self _completeWithError:nil];
}

- (void)_qemuDidRestore {
    if (_state != VZVirtualMachineStateRestoring) return;
    _wasSaved = NO;
    [self _setState:VZVirtualMachineStatePaused];
    for (id<ScreenViewer> viewer in _screenViewers) [self _showScreenTo:viewer];
    [self _completeWithError:nil];
}

- (void)_networkDidBreak {
    if (_state != VZVirtualMachineStateRunning && _state != VZVirtualMachineStatePaused) return;
    SEL told = @selector(virtualMachine:networkDevice:attachmentWasDisconnectedWithError:);
    for (VZNetworkDevice *device in _networkDevices) {
        if (![device _disconnect] || !macos_is_at_least(12, 0) || ![_delegate respondsToSelector:told]) continue;
        NSError *error = virtualization_error(VZErrorNetworkError, @"The network device attachment was disconnected.");
        [_delegate virtualMachine:self networkDevice:device attachmentWasDisconnectedWithError:error];
    }
}

- (void)_guestWasReset {
    [_socketDevices makeObjectsPerformSelector:@selector(_guestWasReset)];
}

- (void)_consoleDidBecomeFull:(BOOL)full {
    _consoleIsFull = full;
    if (_state == VZVirtualMachineStateRunning || _state == VZVirtualMachineStateResuming) [self _letGuestRun:!full];
}

- (void)_letGuestRun:(BOOL)runs {
    [_process execute:runs ? @"cont" : @"stop" arguments:@{} reply:^(NSString *problem) {}];
}

- (void)_qemuDidStopWithError:(NSError *)error {
    _consoleIsFull = _wasSaved = NO;
    [_socketDevices makeObjectsPerformSelector:@selector(_machineDidStop)];
    [_usbControllers makeObjectsPerformSelector:@selector(_machineDidStop)];
    [_process release];
    _process = nil;
    VZVirtualMachineState before = _state;
    if (before == VZVirtualMachineStateRestoring) {
        BOOL ours = error && [error code] != VZErrorInternal;
        return [self _return:VZVirtualMachineStateStopped withError:ours ? error : restore_error(@"invalid argument", error)];
    }
    BOOL wanted = before == VZVirtualMachineStateStopping;
    [self _setState:wanted || !error ? VZVirtualMachineStateStopped : VZVirtualMachineStateError];
    NSError *unfinished = error ? error : virtualization_error(VZErrorInternal, @"The guest stopped meanwhile.");
    [self _completeWithError:wanted ? nil : unfinished];
    if (wanted || before == VZVirtualMachineStateStarting) return;
    if (!error) {
        if ([_delegate respondsToSelector:@selector(guestDidStopVirtualMachine:)]) [_delegate guestDidStopVirtualMachine:self];
    } else if ([_delegate respondsToSelector:@selector(virtualMachine:didStopWithError:)]) {
        [_delegate virtualMachine:self didStopWithError:error];
    }
}

- (QemuProcess *)_runningProcess {
    return _state == VZVirtualMachineStateRunning || _state == VZVirtualMachineStatePaused ? _process : nil;
}

- (void)_deviceWasDeleted:(NSString *)identifier {
    for (VZUSBController *controller in _usbControllers) [controller _deviceWasDeleted:identifier];
}

- (void)_execute:(NSString *)command arguments:(NSDictionary *)arguments {
    [[self _runningProcess] execute:command
                          arguments:arguments
                              reply:^(NSString *problem){
                              }];
}

- (BOOL)_doInMonitor:(NSString *)command reply:(void (^)(NSString *problem))reply {
    if (!_process || _state == VZVirtualMachineStateStarting) return NO;
    [_process execute:@"human-monitor-command" arguments:@{@"command-line" : command} reply:reply];
    return YES;
}

#pragma mark The screen

- (dispatch_queue_t)_machineQueue {
    return _queue;
}

- (VZGraphicsDisplay *)_shownDisplay {
    ASSERT_ON_QUEUE();
    if ([_graphicsDevices count] == 0) return nil;
    VZGraphicsDevice *device = [_graphicsDevices objectAtIndex:0];
    return [device.displays lastObject];
}

- (int)_connectToScreen {
    ASSERT_ON_QUEUE();
    BOOL alive = _state == VZVirtualMachineStateRunning || _state == VZVirtualMachineStatePaused;
    int ends[2];
    if (!alive || [_graphicsDevices count] == 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return -1;
    [_process passDescriptor:ends[1] name:@"screen"];
    close(ends[1]);
    [self _execute:@"add_client" arguments:@{@"protocol" : @"vnc", @"fdname" : @"screen", @"skipauth" : [NSNumber numberWithBool:YES]}];
    return ends[0];
}

- (void)_showScreenTo:(id<ScreenViewer>)viewer {
    int descriptor = [self _connectToScreen];
    if (descriptor >= 0) [viewer screenDidOpen:descriptor];
}

- (void)_addScreenViewer:(id<ScreenViewer>)viewer {
    ASSERT_ON_QUEUE();
    [_screenViewers addObject:viewer];
    [self _showScreenTo:viewer];
}

- (void)_removeScreenViewer:(id<ScreenViewer>)viewer {
    ASSERT_ON_QUEUE();
    [_screenViewers removeObjectIdenticalTo:viewer];
}

#pragma mark The rest

- (id<VZVirtualMachineDelegate>)delegate {
    ASSERT_ON_QUEUE();
    return _delegate;
}

- (void)setDelegate:(id<VZVirtualMachineDelegate>)delegate {
    ASSERT_ON_QUEUE();
    _delegate = delegate;
}

- (NSArray *)memoryBalloonDevices {
    ASSERT_ON_QUEUE();
    return _memoryBalloonDevices;
}

- (NSArray *)networkDevices {
    ASSERT_ON_QUEUE();
    return _networkDevices;
}

- (NSArray *)consoleDevices {
    ASSERT_ON_QUEUE();
    return @[];
}

- (NSArray *)directorySharingDevices {
    ASSERT_ON_QUEUE();
    return _directorySharingDevices;
}

- (NSArray *)graphicsDevices {
    ASSERT_ON_QUEUE();
    return _graphicsDevices;
}

- (NSArray *)socketDevices {
    ASSERT_ON_QUEUE();
    return _socketDevices;
}

- (NSArray *)usbControllers {
    ASSERT_ON_QUEUE();
    return _usbControllers;
}

@end

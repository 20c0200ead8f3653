#import "internal.h"
#import "socket_connection.h"
#import <errno.h>
#import <sys/socket.h>
#import <unistd.h>

@implementation VZSocketDeviceConfiguration

NOT_MADE_BY_INIT(VZSocketDeviceConfiguration)

- (id)copyWithZone:(NSZone *)zone {
    return [[[self class] allocWithZone:zone] init];
}

@end

@interface VZVirtioSocketDeviceConfiguration (Engine) <MachinePart>
@end

@implementation VZVirtioSocketDeviceConfiguration

- (instancetype)init {
    return [super init];
}

- (NSString *)_unsavablePart {
    return @"Virtio socket devices"; // whose other side, in the client, QEMU cannot save
}

// What QEMU is told is the running machine's device's to say, which is the other side.
- (BOOL)_describeTo:(QemuCommandLine *)commandLine error:(NSError **)error {
    return YES;
}

@end

@implementation VZSocketDevice

NOT_MADE_BY_INIT(VZSocketDevice)

@end

@implementation VZVirtioSocketConnection

NOT_MADE_BY_INIT(VZVirtioSocketConnection)

@synthesize sourcePort = _sourcePort, destinationPort = _destinationPort;

- (id)_initWithDescriptor:(int)descriptor sourcePort:(uint32_t)sourcePort destinationPort:(uint32_t)destinationPort {
    self = [super init];
    if (!self) return nil;
    _descriptor = descriptor;
    _sourcePort = sourcePort;
    _destinationPort = destinationPort;
    return self;
}

- (void)dealloc {
    [self close];
    [super dealloc];
}

- (int)fileDescriptor {
    return __atomic_load_n(&_descriptor, __ATOMIC_ACQUIRE);
}

- (void)close {
    int descriptor = __atomic_exchange_n(&_descriptor, -1, __ATOMIC_ACQ_REL);
    if (descriptor >= 0) close(descriptor);
}

@end

// For who asks for the protocol by its name, as with VZVirtualMachineDelegate.
@interface ListenerProtocolAdopter : NSObject <VZVirtioSocketListenerDelegate>
@end

@implementation ListenerProtocolAdopter
@end

@implementation VZVirtioSocketListener

@synthesize delegate = _delegate;

@end

@implementation VZVirtioSocketDevice

NOT_MADE_BY_INIT(VZVirtioSocketDevice)

- (id)_initWithMachine:(MachineLink *)machine {
    self = [super init];
    if (!self) return nil;
    _machine = [machine retain];
    _listeners = [[NSMutableDictionary alloc] init];
    return self;
}

- (void)dealloc {
    [_machine release];
    [_listeners release];
    [_sockets release];
    [super dealloc];
}

- (BOOL)_describeTo:(QemuCommandLine *)commandLine error:(NSError **)error {
    int ends[2] = {-1, -1};
    GuestSockets *sockets = nil;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0) {
        sockets = [[GuestSockets alloc] initWithMachine:_machine socket:ends[0]];
        if (!sockets) close(ends[1]);
    }
    if (!sockets) {
        return fail(error, virtualization_error(VZErrorInternal, @"The socket device could not be made: %s.", strerror(errno)));
    }
    [_sockets release];
    _sockets = sockets;
    [commandLine shareMemory];
    NSString *identifier = [commandLine identifierForKind:@"socket"];
    [commandLine add:@"-chardev" value:@"socket,id=%@,fd=%d", identifier, [commandLine passDescriptor:ends[1]]];
    [commandLine addPCIDevice:@"vhost-user-vsock-pci,chardev=%@", identifier];
    return YES;
}

- (void)_guestWasReset {
    [_sockets guestWasReset];
}

- (void)_machineDidStop {
    [_sockets release];
    _sockets = nil;
}

- (BOOL)_accepts:(VZVirtioSocketConnection *)connection through:(GuestSockets *)sockets {
    NSNumber *port = [NSNumber numberWithUnsignedInt:connection.destinationPort];
    VZVirtioSocketListener *listener = sockets == _sockets ? [[[_listeners objectForKey:port] retain] autorelease] : nil;
    id<VZVirtioSocketListenerDelegate> delegate = listener.delegate;
    if (![delegate respondsToSelector:@selector(listener:shouldAcceptNewConnection:fromSocketDevice:)]) return NO;
    return [delegate listener:listener shouldAcceptNewConnection:connection fromSocketDevice:self];
}

- (void)setSocketListener:(VZVirtioSocketListener *)listener forPort:(uint32_t)port {
    dispatch_assert_queue(_machine.queue);
    [_listeners setObject:listener forKey:[NSNumber numberWithUnsignedInt:port]];
}

- (void)removeSocketListenerForPort:(uint32_t)port {
    dispatch_assert_queue(_machine.queue);
    [_listeners removeObjectForKey:[NSNumber numberWithUnsignedInt:port]];
}

- (void)connectToPort:(uint32_t)port
    completionHandler:(void (^)(VZVirtioSocketConnection *connection, NSError *error))completionHandler {
    dispatch_assert_queue(_machine.queue);
    VZVirtualMachine *machine = [_machine copyMachine];
    BOOL running = [machine state] == VZVirtualMachineStateRunning;
    [machine release];
    if (running) {
        [_sockets connectToPort:port handler:completionHandler];
        return;
    }
    void (^handler)(VZVirtioSocketConnection *, NSError *) = Block_copy(completionHandler);
    dispatch_async(_machine.queue, ^{
      handler(nil, virtualization_error(VZErrorInvalidVirtualMachineState, @"The virtual machine is not running."));
      Block_release(handler);
    });
}

@end

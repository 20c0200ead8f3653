#import "guest_sockets.h"
#import "internal.h"
#import "socket_connection.h"
#import <errno.h>
#import <sys/socket.h>
#import <unistd.h>

typedef void (^ConnectHandler)(VZVirtioSocketConnection *connection, NSError *error);

// The device's thread is none of Foundation's: it hands on plain C.
struct request_to_queue {
    GuestSockets *sockets;
    struct vsock_request request;
};

struct outcome_to_queue {
    ConnectHandler handler;
    int problem, descriptor;
    uint32_t hostPort, guestPort;
};

// The handler of a connection that is being made, and where to.
struct dial {
    ConnectHandler handler;
    uint32_t guestPort;
};

@implementation GuestSockets

// On the queue.
static void tell_outcome(void *context) {
    struct outcome_to_queue *outcome = context;
    VZVirtioSocketConnection *connection = nil;
    if (outcome->problem == 0) {
        connection = [[VZVirtioSocketConnection alloc] _initWithDescriptor:outcome->descriptor
                                                                sourcePort:outcome->hostPort
                                                           destinationPort:outcome->guestPort];
    }
    outcome->handler(connection, connection ? nil : posix_error(outcome->problem));
    [connection release];
    Block_release(outcome->handler);
    free(outcome);
}

// On the queue.
- (void)_answer:(struct vsock_request)request {
    int ends[2];
    BOOL accepted = NO;
    VZVirtualMachine *machine = [_machine copyMachine];
    VZVirtioSocketDevice *device = [[machine socketDevices] lastObject];
    if (device && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0) {
        VZVirtioSocketConnection *connection = [[VZVirtioSocketConnection alloc] _initWithDescriptor:ends[0]
                                                                                          sourcePort:request.guest_port
                                                                                     destinationPort:request.host_port];
        accepted = [device _accepts:connection through:self];
        if (!accepted) {
            [connection close];
            close(ends[1]);
        }
        [connection release];
    }
    vsock_device_answer(_device, request, accepted ? ends[1] : -1);
    [machine release];
}

static void answer_request(void *context) {
    struct request_to_queue *asked = context;
    [asked->sockets _answer:asked->request];
    free(asked);
}

static void let_go(void *context) {
    [(GuestSockets *)context release];
}

// These three on the device's thread. The last work on the queue is what lets go of this object.

static void on_request(void *context, struct vsock_request request) {
    GuestSockets *sockets = context;
    struct request_to_queue *asked = malloc(sizeof *asked);
    *asked = (struct request_to_queue){sockets, request};
    dispatch_async_f(sockets->_machine.queue, asked, answer_request);
}

static void on_connected(void *context, void *token, int problem, int descriptor, uint32_t hostPort) {
    GuestSockets *sockets = context;
    struct dial *dial = token;
    struct outcome_to_queue *outcome = malloc(sizeof *outcome);
    *outcome = (struct outcome_to_queue){dial->handler, problem, descriptor, hostPort, dial->guestPort};
    free(dial);
    dispatch_async_f(sockets->_machine.queue, outcome, tell_outcome);
}

static void on_end(void *context) {
    GuestSockets *sockets = context;
    dispatch_async_f(sockets->_machine.queue, sockets, let_go);
}

- (id)initWithMachine:(MachineLink *)machine socket:(int)socket {
    self = [super init];
    if (!self) return nil;
    _machine = [machine retain];
    [self retain]; // until on_end
    _device = vsock_device_start(socket, (struct vsock_client){self, on_request, on_connected, on_end});
    if (_device) return self;
    int problem = errno;
    [self release];
    [self release];
    errno = problem;
    return nil;
}

- (void)dealloc {
    vsock_device_release(_device);
    [_machine release];
    [super dealloc];
}

- (void)connectToPort:(uint32_t)port handler:(ConnectHandler)handler {
    struct dial *dial = malloc(sizeof *dial);
    *dial = (struct dial){Block_copy(handler), port};
    int problem = vsock_device_connect(_device, port, dial);
    if (problem) on_connected(self, dial, problem, -1, 0);
}

- (void)guestWasReset {
    vsock_device_guest_was_reset(_device);
}

@end

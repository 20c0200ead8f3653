#import "machine_link.h"
#import "vsock_device.h"

@class VZVirtioSocketConnection;

/// The socket device of a QEMU that runs or is about to, from the machine's queue. It hears of the guest's connections
/// there, and asks the machine's device about them.
@interface GuestSockets : NSObject {
    MachineLink *_machine;
    struct vsock_device *_device;
}
/// @param socket Leads to QEMU, and is handed over. nil, and errno, when there cannot be one.
- (id)initWithMachine:(MachineLink *)machine socket:(int)socket;
- (void)connectToPort:(uint32_t)port handler:(void (^)(VZVirtioSocketConnection *connection, NSError *error))handler;
- (void)guestWasReset;
@end

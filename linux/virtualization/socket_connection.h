#import "guest_sockets.h"
#import <Virtualization/Virtualization.h>

@interface VZVirtioSocketConnection (Engine)
/// @param descriptor Is handed over.
- (id)_initWithDescriptor:(int)descriptor sourcePort:(uint32_t)sourcePort destinationPort:(uint32_t)destinationPort;
@end

@interface VZVirtioSocketDevice (Connections)
/// Whether the client wants a connection of the guest's.
- (BOOL)_accepts:(VZVirtioSocketConnection *)connection through:(GuestSockets *)sockets;
@end

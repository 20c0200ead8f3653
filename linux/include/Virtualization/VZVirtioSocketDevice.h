#import <Foundation/Foundation.h>
#import <Virtualization/VZSocketDevice.h>

@class GuestSockets, MachineLink, VZVirtioSocketConnection, VZVirtioSocketListener;

/// A running machine's sockets. For use on the machine's queue only; handlers are called there.
@interface VZVirtioSocketDevice : VZSocketDevice {
  @private
    MachineLink *_machine;
    NSMutableDictionary *_listeners;
    GuestSockets *_sockets;
}
+ (instancetype)new;
- (instancetype)init;
/// From now on the listener is asked about the guest's connections to the host's port.
- (void)setSocketListener:(VZVirtioSocketListener *)listener forPort:(uint32_t)port;
- (void)removeSocketListenerForPort:(uint32_t)port;
/// Makes a connection to the guest's port.
- (void)connectToPort:(uint32_t)port
    completionHandler:(void (^)(VZVirtioSocketConnection *connection, NSError *error))completionHandler;
@end

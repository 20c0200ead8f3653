#import <Foundation/Foundation.h>

@interface VZVirtioSocketConnection : NSObject {
  @private
    int _descriptor;
    uint32_t _sourcePort, _destinationPort;
}
+ (instancetype)new;
- (instancetype)init;
/// The port of who has made the connection, and the one that it was made to.
@property(readonly) uint32_t sourcePort;
@property(readonly) uint32_t destinationPort;
/// A stream socket, which is the connection's: it is closed by -close, and when the connection goes. -1 after that.
@property(readonly) int fileDescriptor;
- (void)close;
@end

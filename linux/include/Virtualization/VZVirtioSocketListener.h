#import <Foundation/Foundation.h>

@class VZVirtioSocketConnection, VZVirtioSocketDevice, VZVirtioSocketListener;

/// Called on the machine's queue.
@protocol VZVirtioSocketListenerDelegate <NSObject>
@optional
/// Without it connections are refused. One that is accepted is to be kept, or its descriptor copied.
- (BOOL)listener:(VZVirtioSocketListener *)listener
    shouldAcceptNewConnection:(VZVirtioSocketConnection *)connection
             fromSocketDevice:(VZVirtioSocketDevice *)socketDevice;
@end

@interface VZVirtioSocketListener : NSObject {
  @private
    id _delegate;
}
@property(assign) id<VZVirtioSocketListenerDelegate> delegate;
@end

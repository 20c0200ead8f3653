#import <Foundation/Foundation.h>

/// A network of the host's that a guest can be put on: on Linux a bridge.
@interface VZBridgedNetworkInterface : NSObject {
  @private
    NSString *_identifier;
}
+ (instancetype)new;
- (instancetype)init;
+ (NSArray *)networkInterfaces;
@property(readonly) NSString *identifier;
@property(readonly) NSString *localizedDisplayName;
@end

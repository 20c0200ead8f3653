#import <Foundation/Foundation.h>

/// Tells a guest that it is the same machine as before.
@interface VZGenericMachineIdentifier : NSObject <NSCopying> {
  @private
    NSData *_dataRepresentation;
}
- (instancetype)init;
/// nil when the data is no identifier's.
- (instancetype)initWithDataRepresentation:(NSData *)dataRepresentation;
@property(readonly, copy) NSData *dataRepresentation;
@end

#import <Foundation/Foundation.h>
#import <Virtualization/VZNetworkDeviceAttachment.h>

/// A connected datagram socket that carries the frames.
@interface VZFileHandleNetworkDeviceAttachment : VZNetworkDeviceAttachment {
  @private
    NSFileHandle *_fileHandle;
    NSInteger _maximumTransmissionUnit;
}
- (instancetype)initWithFileHandle:(NSFileHandle *)fileHandle;
@property(readonly) NSFileHandle *fileHandle;
/// 1500 by default and at least; 65535 at most.
@property NSInteger maximumTransmissionUnit;
@end

#import <Foundation/Foundation.h>
#import <Virtualization/VZSerialPortAttachment.h>

/// Connects a serial port to two file handles, named from the host's side: the guest receives what is read from the one and sends to the other.
@interface VZFileHandleSerialPortAttachment : VZSerialPortAttachment {
  @private
    NSFileHandle *_fileHandleForReading, *_fileHandleForWriting;
}
+ (instancetype)new;
- (instancetype)init;
- (instancetype)initWithFileHandleForReading:(NSFileHandle *)reading fileHandleForWriting:(NSFileHandle *)writing;
@property(readonly) NSFileHandle *fileHandleForReading;
@property(readonly) NSFileHandle *fileHandleForWriting;
@end

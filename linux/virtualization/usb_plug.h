#import <Foundation/Foundation.h>

@class QemuCommandLine, QemuProcess, VZStorageDeviceAttachment;

/// A disk in a port of QEMU's, or on its way in or out. The image is locked for as long as this is there; to give the
/// lock back at any time, the open file that QEMU has is kept open here too.
@interface UsbPlug : NSObject {
    NSString *_identifier;
    NSDictionary *_options;
    int _descriptor, _set;
    void (^_deletion)(NSString *problem);
}
/// Opens and locks the image.
/// @param identifier The disk's in QEMU.
- (id)initWithAttachment:(VZStorageDeviceAttachment *)attachment identifier:(NSString *)identifier error:(NSError **)error;
@property(readonly) NSString *identifier;
/// Plugs it in before QEMU starts.
- (void)describeTo:(QemuCommandLine *)commandLine bus:(NSString *)bus;
/// Plugs it in. This and all below on the machine's queue.
- (void)plugInto:(NSString *)bus of:(QemuProcess *)process reply:(void (^)(NSString *problem))reply;
/// Pulls it out: the reply comes when the image is used no more.
- (void)pullFrom:(QemuProcess *)process reply:(void (^)(NSString *problem))reply;
/// QEMU says that the guest has it no more.
- (void)wasDeleted;
/// QEMU has ended.
- (void)wasLost;
@end

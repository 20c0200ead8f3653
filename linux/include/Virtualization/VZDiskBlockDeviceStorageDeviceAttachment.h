#import <Foundation/Foundation.h>
#import <Virtualization/VZDiskSynchronizationMode.h>
#import <Virtualization/VZStorageDeviceAttachment.h>

/// A block device of the host's, as it is.
@interface VZDiskBlockDeviceStorageDeviceAttachment : VZStorageDeviceAttachment {
  @private
    NSFileHandle *_fileHandle;
    BOOL _readOnly;
    VZDiskSynchronizationMode _synchronizationMode;
}
+ (instancetype)new;
- (instancetype)init;
/// The handle must be a block device's, opened to be written unless the disk is read-only.
- (instancetype)initWithFileHandle:(NSFileHandle *)fileHandle
                          readOnly:(BOOL)readOnly
               synchronizationMode:(VZDiskSynchronizationMode)synchronizationMode
                             error:(NSError **)error;
@property(readonly) NSFileHandle *fileHandle;
@property(readonly, getter=isReadOnly) BOOL readOnly;
@property(readonly) VZDiskSynchronizationMode synchronizationMode;
@end

#import <Foundation/Foundation.h>
#import <Virtualization/VZStorageDeviceAttachment.h>

/// What of the image the host keeps in its memory.
typedef NS_ENUM(NSInteger, VZDiskImageCachingMode) {
    /// On Linux the same as cached.
    VZDiskImageCachingModeAutomatic = 0,
    /// Nothing, where the file system can do that.
    VZDiskImageCachingModeUncached = 1,
    VZDiskImageCachingModeCached = 2,
};

/// What the host does when the guest wants its writes to be safe.
typedef NS_ENUM(NSInteger, VZDiskImageSynchronizationMode) {
    /// Writes to the medium.
    VZDiskImageSynchronizationModeFull = 1,
    /// On Linux the same as full, because fsync(2) is so there.
    VZDiskImageSynchronizationModeFsync = 2,
    /// Nothing: a host that loses its power may leave the image damaged.
    VZDiskImageSynchronizationModeNone = 3,
};

/// A file that holds the disk's bytes as they are.
@interface VZDiskImageStorageDeviceAttachment : VZStorageDeviceAttachment {
  @private
    NSURL *_URL;
    BOOL _readOnly;
    VZDiskImageCachingMode _cachingMode;
    VZDiskImageSynchronizationMode _synchronizationMode;
    int _descriptor;
}
+ (instancetype)new;
- (instancetype)init;
/// Caching automatic, synchronization full.
- (instancetype)initWithURL:(NSURL *)url readOnly:(BOOL)readOnly error:(NSError **)error;
/// The file must be there, and its size must be a multiple of 512 bytes.
- (instancetype)initWithURL:(NSURL *)url
                   readOnly:(BOOL)readOnly
                cachingMode:(VZDiskImageCachingMode)cachingMode
        synchronizationMode:(VZDiskImageSynchronizationMode)synchronizationMode
                      error:(NSError **)error;
@property(readonly) NSURL *URL;
@property(readonly, getter=isReadOnly) BOOL readOnly;
@property(readonly) VZDiskImageCachingMode cachingMode;
@property(readonly) VZDiskImageSynchronizationMode synchronizationMode;
@end

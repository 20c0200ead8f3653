#import <Foundation/Foundation.h>
#import <Virtualization/VZDiskSynchronizationMode.h>
#import <Virtualization/VZStorageDeviceAttachment.h>

@class VZNetworkBlockDeviceStorageDeviceAttachment;

/// Its methods are called on the machine's queue.
@protocol VZNetworkBlockDeviceStorageDeviceAttachmentDelegate <NSObject>
@optional
/// At the start, and whenever the server is there again.
- (void)attachmentWasConnected:(VZNetworkBlockDeviceStorageDeviceAttachment *)attachment;
/// The server was waited for long enough.
- (void)attachment:(VZNetworkBlockDeviceStorageDeviceAttachment *)attachment didEncounterError:(NSError *)error;
@end

/// What a server has, by the NBD protocol. It is connected to when the machine starts.
@interface VZNetworkBlockDeviceStorageDeviceAttachment : VZStorageDeviceAttachment {
  @private
    NSURL *_URL;
    NSTimeInterval _timeout;
    BOOL _forcedReadOnly;
    VZDiskSynchronizationMode _synchronizationMode;
    id<VZNetworkBlockDeviceStorageDeviceAttachmentDelegate> _delegate;
}
+ (instancetype)new;
- (instancetype)init;
/// nbd://HOST:PORT/NAME, or nbd+unix:///NAME?socket=PATH.
- (instancetype)initWithURL:(NSURL *)URL
                    timeout:(NSTimeInterval)timeout
             forcedReadOnly:(BOOL)forcedReadOnly
        synchronizationMode:(VZDiskSynchronizationMode)synchronizationMode
                      error:(NSError **)error;
/// 15 seconds, and full synchronization.
- (instancetype)initWithURL:(NSURL *)URL error:(NSError **)error;
/// Whether it is the URL of such a server. None is asked.
+ (BOOL)validateURL:(NSURL *)URL error:(NSError **)error;
@property(readonly) NSURL *URL;
@property(readonly) NSTimeInterval timeout;
@property(readonly, getter=isForcedReadOnly) BOOL forcedReadOnly;
@property(readonly) VZDiskSynchronizationMode synchronizationMode;
@property(assign) id<VZNetworkBlockDeviceStorageDeviceAttachmentDelegate> delegate;
@end

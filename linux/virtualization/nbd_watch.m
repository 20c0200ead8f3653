#import "nbd_watch.h"

NSString *const nbd_trace_prefix = @"nbd_";

// Of QEMU's: nbd_client_handshake_success export 'NAME', and
// nbd_reconnect_attempt_result ret NUMBER (zero when it is connected) in_flight NUMBER.
// An operation may be told to have failed before the try that shows why.
static const NSTimeInterval soon = 5;

static NSString *const connected = @"nbd_client_handshake_success", *const tried = @"nbd_reconnect_attempt_result";

/// A disk, whether it was connected, and whether its delegate knows that the server is gone.
@interface NbdDisk : NSObject {
  @public
    VZNetworkBlockDeviceStorageDeviceAttachment *attachment;
    NSString *export, *node;
    BOOL met, told;
    NSTimeInterval failed; // when an operation did last
}
@end

@implementation NbdDisk

- (void)dealloc {
    [attachment release];
    [export release];
    [node release];
    [super dealloc];
}

@end

@implementation NbdWatch

+ (void)addTraceTo:(QemuCommandLine *)commandLine {
    for (NSString *event in @[ connected, tried ]) [commandLine add:@"-trace" value:@"enable=%@", event];
}

- (id)init {
    self = [super init];
    if (self) _disks = [[NSMutableArray alloc] init];
    return self;
}

- (void)dealloc {
    [_disks release];
    [super dealloc];
}

- (void)add:(VZNetworkBlockDeviceStorageDeviceAttachment *)attachment export:(NSString *)export node:(NSString *)node {
    NbdDisk *disk = [[[NbdDisk alloc] init] autorelease];
    disk->attachment = [attachment retain];
    disk->export = [export copy];
    disk->node = [node copy];
    [_disks addObject:disk];
}

/// Which disks a line may be about: it has only the export's name, and servers may have the same. At the start they are
/// connected in their order; later it is those that are known to be gone, or else all of that name.
- (NSArray *)_disksOf:(NSString *)line {
    NSMutableArray *named = [NSMutableArray array], *gone = [NSMutableArray array];
    for (NbdDisk *disk in _disks) {
        if (![line hasSuffix:[NSString stringWithFormat:@" export '%@'", disk->export]]) continue;
        if (!disk->met) return @[ disk ];
        [named addObject:disk];
        if (disk->told) [gone addObject:disk];
    }
    return [gone count] > 0 ? gone : named;
}

- (void)hear:(NSString *)line {
    if ([line hasPrefix:tried]) {
        _reconnecting = [line rangeOfString:@" ret 0 "].length == 0;
        for (NbdDisk *disk in _disks) {
            BOOL isNew = [NSDate timeIntervalSinceReferenceDate] - disk->failed < soon;
            if (_reconnecting && isNew) [self _tellGone:disk];
        }
        return;
    }
    if (![line hasPrefix:connected]) return;
    _reconnecting = NO;
    for (NbdDisk *disk in [self _disksOf:line]) {
        disk->met = YES;
        disk->told = NO;
        disk->failed = 0;
        id<VZNetworkBlockDeviceStorageDeviceAttachmentDelegate> delegate = disk->attachment.delegate;
        if ([delegate respondsToSelector:@selector(attachmentWasConnected:)]) [delegate attachmentWasConnected:disk->attachment];
    }
}

- (void)operationFailedOn:(NSString *)node {
    for (NbdDisk *disk in _disks) {
        if (![disk->node isEqualToString:node]) continue;
        disk->failed = [NSDate timeIntervalSinceReferenceDate];
        if (_reconnecting) [self _tellGone:disk]; // else it is the server's error, or a try will show
    }
}

- (void)_tellGone:(NbdDisk *)disk {
    if (disk->told) return;
    disk->told = YES;
    id<VZNetworkBlockDeviceStorageDeviceAttachmentDelegate> delegate = disk->attachment.delegate;
    NSError *error = virtualization_error(VZErrorNetworkBlockDeviceDisconnected, @"The server could not be connected to again.");
    if (![delegate respondsToSelector:@selector(attachment:didEncounterError:)]) return;
    [delegate attachment:disk->attachment didEncounterError:error];
}

@end

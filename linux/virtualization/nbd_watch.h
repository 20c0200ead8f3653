#import "internal.h"

/// What all lines begin with that are for it.
extern NSString *const nbd_trace_prefix;

/// Tells the delegates of a machine's attachments to NBD servers what QEMU says of these: it has no events for it, so
/// its trace is read. On the machine's queue but for the adding.
@interface NbdWatch : NSObject {
    NSMutableArray *_disks;
    BOOL _reconnecting;
}
/// What QEMU needs for there to be such lines.
+ (void)addTraceTo:(QemuCommandLine *)commandLine;
/// @param export The name by which the trace knows it.
- (void)add:(VZNetworkBlockDeviceStorageDeviceAttachment *)attachment export:(NSString *)export node:(NSString *)node;
/// A line of the trace.
- (void)hear:(NSString *)line;
/// The guest was told that it could not read or write.
- (void)operationFailedOn:(NSString *)node;
@end

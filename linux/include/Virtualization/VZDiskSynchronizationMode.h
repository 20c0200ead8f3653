#import <Foundation/Foundation.h>

/// What becomes of a guest's wish that its writes be safe, on a device or a server.
typedef NS_ENUM(NSInteger, VZDiskSynchronizationMode) {
    /// It is passed on.
    VZDiskSynchronizationModeFull = 0,
    /// Nothing: a host that loses its power may leave the disk damaged.
    VZDiskSynchronizationModeNone = 1,
};

#import <Foundation/Foundation.h>
#import <Virtualization/VZMemoryBalloonDevice.h>

@class MachineLink;

/// A running machine's balloon. For use on the machine's queue only.
@interface VZVirtioTraditionalMemoryBalloonDevice : VZMemoryBalloonDevice {
  @private
    MachineLink *_machine;
    uint64_t _target;
}
+ (instancetype)new;
- (instancetype)init;
/// Bytes, rounded down to a multiple of 1 MiB, and up to the smallest memory that a machine can have.
@property uint64_t targetVirtualMachineMemorySize;
@end

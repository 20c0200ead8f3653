#import <Foundation/Foundation.h>
#import <Virtualization/VZDirectorySharingDevice.h>

@class MachineLink, VZDirectoryShare, VZVirtioFileSystemDeviceConfiguration;

/// A running machine's. For use on the machine's queue only.
@interface VZVirtioFileSystemDevice : VZDirectorySharingDevice {
  @private
    MachineLink *_machine;
    VZVirtioFileSystemDeviceConfiguration *_configuration;
}
@property(readonly) NSString *tag;
/// On Linux a guest that runs keeps the folder that it has; another is there at the machine's next start.
@property(strong) VZDirectoryShare *share;
@end

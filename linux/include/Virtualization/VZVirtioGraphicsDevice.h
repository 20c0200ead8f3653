#import <Foundation/Foundation.h>
#import <Virtualization/VZGraphicsDevice.h>

/// Its displays are VZVirtioGraphicsScanouts.
@interface VZVirtioGraphicsDevice : VZGraphicsDevice
@end

#import <Foundation/Foundation.h>
#import <Virtualization/VZGraphicsDisplay.h>

@interface VZVirtioGraphicsScanout : VZGraphicsDisplay
@end

#import <Foundation/Foundation.h>
#import <Virtualization/VZUSBController.h>

@interface VZXHCIController : VZUSBController
@end

#import <Foundation/Foundation.h>

@interface VZVirtualMachineStartOptions : NSObject
@end

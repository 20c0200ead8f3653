#import <Foundation/Foundation.h>

@class VZBootLoader, VZPlatformConfiguration;

@interface VZVirtualMachineConfiguration : NSObject <NSCopying> {
  @private
    VZBootLoader *_bootLoader;
    VZPlatformConfiguration *_platform;
    uint64_t _memorySize;
    NSUInteger _CPUCount;
    NSString *_label;
    NSArray *_audioDevices, *_consoleDevices, *_customVirtioDevices, *_directorySharingDevices, *_entropyDevices,
        *_memoryBalloonDevices, *_networkDevices, *_serialPorts, *_socketDevices, *_storageDevices,
        *_keyboards, *_pointingDevices, *_graphicsDevices, *_usbControllers;
}
@property(strong) VZBootLoader *bootLoader;
/// Bytes; a multiple of 1 MiB. The smallest allowed by default.
@property uint64_t memorySize;
@property NSUInteger CPUCount;
/// A VZGenericPlatformConfiguration by default.
@property(copy) VZPlatformConfiguration *platform;
@property(copy) NSArray *audioDevices;
@property(copy) NSArray *consoleDevices;
@property(copy) NSArray *customVirtioDevices;
@property(copy) NSArray *directorySharingDevices;
@property(copy) NSArray *entropyDevices;
@property(copy) NSArray *memoryBalloonDevices;
@property(copy) NSArray *networkDevices;
@property(copy) NSArray *serialPorts;
@property(copy) NSArray *socketDevices;
@property(copy) NSArray *storageDevices;
@property(copy) NSArray *keyboards;
@property(copy) NSArray *pointingDevices;
@property(copy) NSArray *graphicsDevices;
@property(copy) NSArray *usbControllers;
@property(copy) NSString *label;
- (BOOL)validateWithError:(NSError **)error;
- (BOOL)validateSaveRestoreSupportWithError:(NSError **)error;
+ (uint64_t)minimumAllowedMemorySize;
+ (uint64_t)maximumAllowedMemorySize;
+ (NSUInteger)minimumAllowedCPUCount;
+ (NSUInteger)maximumAllowedCPUCount;
@end

#import <Foundation/Foundation.h>
#import <Virtualization/VZGraphicsDeviceConfiguration.h>

@interface VZVirtioGraphicsDeviceConfiguration : VZGraphicsDeviceConfiguration {
  @private
    NSArray *_scanouts;
}
- (instancetype)init;
/// VZVirtioGraphicsScanoutConfigurations: one.
@property(copy) NSArray *scanouts;
@end

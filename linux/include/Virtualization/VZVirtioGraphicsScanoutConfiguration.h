#import <Foundation/Foundation.h>
#import <Virtualization/VZGraphicsDisplayConfiguration.h>

@interface VZVirtioGraphicsScanoutConfiguration : VZGraphicsDisplayConfiguration {
  @private
    NSInteger _widthInPixels, _heightInPixels;
}
- (instancetype)initWithWidthInPixels:(NSInteger)widthInPixels heightInPixels:(NSInteger)heightInPixels;
@property NSInteger widthInPixels;
@property NSInteger heightInPixels;
@end

#import <Foundation/Foundation.h>
#import <Virtualization/VZDirectoryShare.h>

typedef NS_ENUM(NSInteger, VZLinuxRosettaAvailability) {
    VZLinuxRosettaAvailabilityNotSupported = 0,
    VZLinuxRosettaAvailabilityNotInstalled = 1,
    VZLinuxRosettaAvailabilityInstalled = 2,
};

/// There is no Rosetta on Linux.
@interface VZLinuxRosettaDirectoryShare : VZDirectoryShare {
  @private
    id _options;
}
- (instancetype)initWithError:(NSError **)error;
+ (void)installRosettaWithCompletionHandler:(void (^)(NSError *error))completionHandler;
@property(copy) id options;
+ (VZLinuxRosettaAvailability)availability;
@end

#import <Foundation/Foundation.h>
#import <Virtualization/VZBootLoader.h>

/// Starts a Linux kernel without firmware.
@interface VZLinuxBootLoader : VZBootLoader {
  @private
    NSURL *_kernelURL, *_initialRamdiskURL;
    NSString *_commandLine;
}
- (instancetype)initWithKernelURL:(NSURL *)kernelURL;
@property(copy) NSURL *kernelURL;
/// Empty by default.
@property(copy) NSString *commandLine;
@property(copy) NSURL *initialRamdiskURL;
@end

#import <Foundation/Foundation.h>

/// Files of a Debian package for one of QEMU's architectures: the firmware, and the variables it begins with.
@interface EfiFirmware : NSObject {
    NSString *_code, *_variables;
}
/// nil, and an error that names the package, when it is not installed.
+ (EfiFirmware *)firmwareForArchitecture:(NSString *)architecture error:(NSError **)error;
@property(readonly) NSString *code;
@property(readonly) NSString *variables;
@end

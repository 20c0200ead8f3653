#import <Foundation/Foundation.h>

@class MachineLink;

/// For use on the machine's queue only.
@interface VZGraphicsDevice : NSObject {
    MachineLink *_machine;
    NSArray *_displays;
}
+ (instancetype)new;
- (instancetype)init;
/// VZGraphicsDisplays.
@property(readonly) NSArray *displays;
@end

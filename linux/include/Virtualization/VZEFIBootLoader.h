#import <Foundation/Foundation.h>
#import <Virtualization/VZBootLoader.h>
#import <Virtualization/VZEFIVariableStore.h>

/// Starts what UEFI firmware finds on the storage devices, the first of which is tried first.
@interface VZEFIBootLoader : VZBootLoader {
  @private
    VZEFIVariableStore *_variableStore;
}
- (instancetype)init;
/// Must be set.
@property(strong) VZEFIVariableStore *variableStore;
@end

#import <Foundation/Foundation.h>
#import <dispatch/dispatch.h>

@class MachineLink, VZGraphicsDisplay, VZGraphicsDisplayConfiguration;

// The same type, so that NSMakeSize() makes one.
typedef NSSize CGSize;

/// Called on the machine's queue.
@protocol VZGraphicsDisplayObserver <NSObject>
@optional
- (void)displayDidBeginReconfiguration:(VZGraphicsDisplay *)display;
- (void)displayDidEndReconfiguration:(VZGraphicsDisplay *)display;
@end

/// For use on the machine's queue only.
@interface VZGraphicsDisplay : NSObject {
    MachineLink *_machine;
    CGSize _sizeInPixels;
    NSHashTable *_observers;
    dispatch_queue_t _reconfigurations;
}
+ (instancetype)new;
- (instancetype)init;
/// What the guest was told last; which mode it uses is up to it.
@property(readonly) CGSize sizeInPixels;
/// Of a machine that runs: the guest is told of another monitor.
- (BOOL)reconfigureWithSizeInPixels:(CGSize)sizeInPixels error:(NSError **)error;
- (BOOL)reconfigureWithConfiguration:(VZGraphicsDisplayConfiguration *)configuration error:(NSError **)error;
/// Observers are not retained.
- (void)addObserver:(id<VZGraphicsDisplayObserver>)observer;
- (void)removeObserver:(id<VZGraphicsDisplayObserver>)observer;
@end

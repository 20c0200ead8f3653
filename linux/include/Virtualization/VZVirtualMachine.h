#import <Foundation/Foundation.h>
#import <dispatch/dispatch.h>

@class VZVirtualMachineConfiguration, VZVirtualMachineStartOptions, MachineLink, QemuProcess;
@protocol VZVirtualMachineDelegate;

typedef NS_ENUM(NSInteger, VZVirtualMachineState) {
    VZVirtualMachineStateStopped = 0,
    VZVirtualMachineStateRunning = 1,
    VZVirtualMachineStatePaused = 2,
    VZVirtualMachineStateError = 3,
    VZVirtualMachineStateStarting = 4,
    VZVirtualMachineStatePausing = 5,
    VZVirtualMachineStateResuming = 6,
    VZVirtualMachineStateStopping = 7,
    VZVirtualMachineStateSaving = 8,
    VZVirtualMachineStateRestoring = 9,
};

/// Everything but +isSupported, the initializers and -queue is for use on the machine's queue only: elsewhere it ends
/// the process. Completion handlers and the delegate are called on that queue.
@interface VZVirtualMachine : NSObject {
  @private
    dispatch_queue_t _queue;
    VZVirtualMachineConfiguration *_configuration;
    VZVirtualMachineState _state;
    id _delegate;
    MachineLink *_link;
    QemuProcess *_process;
    BOOL _consoleIsFull, _wasSaved;
    void (^_completionHandler)(NSError *);
    NSArray *_memoryBalloonDevices, *_networkDevices, *_directorySharingDevices, *_graphicsDevices, *_socketDevices,
        *_usbControllers;
    NSMutableArray *_screenViewers;
}
+ (instancetype)new;
- (instancetype)init;
/// Uses the main queue.
- (instancetype)initWithConfiguration:(VZVirtualMachineConfiguration *)configuration;
/// @param queue A serial queue.
- (instancetype)initWithConfiguration:(VZVirtualMachineConfiguration *)configuration queue:(dispatch_queue_t)queue;
- (void)startWithCompletionHandler:(void (^)(NSError *errorOrNil))completionHandler;
- (void)startWithOptions:(VZVirtualMachineStartOptions *)options
       completionHandler:(void (^)(NSError *errorOrNil))completionHandler;
- (void)stopWithCompletionHandler:(void (^)(NSError *errorOrNil))completionHandler;
- (void)pauseWithCompletionHandler:(void (^)(NSError *errorOrNil))completionHandler;
- (void)resumeWithCompletionHandler:(void (^)(NSError *errorOrNil))completionHandler;
- (void)restoreMachineStateFromURL:(NSURL *)saveFileURL completionHandler:(void (^)(NSError *errorOrNil))completionHandler;
- (void)saveMachineStateToURL:(NSURL *)saveFileURL completionHandler:(void (^)(NSError *errorOrNil))completionHandler;
/// Presses the guest's power button.
- (BOOL)requestStopWithError:(NSError **)error;
@property(readonly) dispatch_queue_t queue;
+ (BOOL)isSupported;
/// This and the can... properties can be observed.
@property(readonly) VZVirtualMachineState state;
@property(assign) id<VZVirtualMachineDelegate> delegate;
@property(readonly) BOOL canStart;
@property(readonly) BOOL canStop;
@property(readonly) BOOL canPause;
@property(readonly) BOOL canResume;
@property(readonly) BOOL canRequestStop;
@property(readonly) NSArray *consoleDevices;
@property(readonly) NSArray *directorySharingDevices;
@property(readonly) NSArray *graphicsDevices;
@property(readonly) NSArray *memoryBalloonDevices;
@property(readonly) NSArray *networkDevices;
@property(readonly) NSArray *socketDevices;
@property(readonly) NSArray *usbControllers;
@end

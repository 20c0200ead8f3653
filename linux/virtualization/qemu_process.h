#import <Foundation/Foundation.h>
#import "machine_link.h"
#import "qemu_command_line.h"

/// A running QEMU and the conversation with it (QMP, on a socket pair). A thread of its own starts QEMU, listens, and
/// waits for its end; it sleeps in poll(2) without a limit. What it hears goes to the machine's queue.
@interface QemuProcess : NSObject {
    QemuCommandLine *_commandLine;
    ChildProcess *_child;
    NSMutableArray *_helpers;
    MachineLink *_machine;
    NSMutableDictionary *_replies; // this and the next two on the queue only
    NSUInteger _lastCommand;
    BOOL _ended;
    int _qmp, _savedState;
    // Below: the thread's only.
    NSMutableData *_input;
    NSUInteger _earlyCommandsSent;
    NSString *_failure;
    NSError *_explanation;
    BOOL _guestStopped, _greeted;
}
- (id)initWithProgram:(NSString *)program commandLine:(QemuCommandLine *)commandLine machine:(MachineLink *)machine;
/// Before it is launched: what it is to go on from, instead of booting; the descriptor is QEMU's then.
- (void)restoreFrom:(int)descriptor;
/// Ends in _qemuDidStopWithError: of the machine, once QEMU is gone; before that in _qemuDidStart, or in
/// _qemuDidRestore, when it gets so far.
- (void)launch;
/// On the queue. The reply is called on the queue with what went wrong, or nil; not at all when the machine goes
/// first: a reply that uses the machine must not keep it.
- (void)execute:(NSString *)command arguments:(NSDictionary *)arguments reply:(void (^)(NSString *problem))reply;
/// On the queue. Adds a copy of a descriptor to a descriptor set of QEMU's, which it makes.
- (void)addDescriptor:(int)descriptor toSet:(int)set;
/// On the queue, with the guest stopped. Writes the machine's state; the reply as above.
- (void)saveTo:(int)descriptor reply:(void (^)(NSString *problem))reply;
/// On the queue. Gives QEMU a copy of a descriptor, under a name by which the next command takes it.
- (void)passDescriptor:(int)descriptor name:(NSString *)name;
/// From any thread, at any time. A guest that is stopped so is as one whose plug was pulled: what it had written to
/// files and descriptors is written.
- (void)kill;
@end

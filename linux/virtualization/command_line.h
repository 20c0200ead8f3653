#import <Foundation/Foundation.h>

/// What a program is to be started with: arguments and descriptors.
@interface CommandLine : NSObject {
    NSMutableArray *_arguments;
    int *_descriptors;
    int *_flags;
    int _count;
    int _failure;
    BOOL _standardStreamsTaken;
}
@property(readonly) NSArray *arguments;

- (void)add:(NSString *)option;
- (void)add:(NSString *)option value:(NSString *)format, ... NS_FORMAT_FUNCTION(2, 3);

/// Hands a descriptor over to the command line, which closes it. Returns its number in the program.
- (int)passDescriptor:(int)descriptor;
/// The same; and once the program has opened its devices the description gets these flags again, whatever it made of
/// them.
- (int)passDescriptor:(int)descriptor flags:(int)flags;
/// The program's standard input and output: for one user only. NO when they are taken.
- (BOOL)passStandardInput:(int)input output:(int)output flags:(int)flags;
/// The program's standard error.
- (void)passStandardError:(int)descriptor;

/// One that it should have had could not be made, for what errno says.
- (void)lacksDescriptor;
/// errno of the first descriptor that could not be made, before it was handed over or at all; 0 when all were.
- (int)failure;
/// By number in the program.
- (const int *)descriptors;
- (int)descriptorCount;
/// The program has been started and has its copies.
- (void)childHasDescriptors;
/// The program has opened its devices.
- (void)settleDescriptors;
- (void)closeDescriptors;
@end
